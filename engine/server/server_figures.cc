// What the server shows of itself on the admin port.

#include <utility>

#include "base/clock.h"
#include "server/process_figures.h"
#include "server/server.h"
#include "server/state_metrics.h"

namespace perigee::server {

void Server::add_metrics() {
  using Page = profiler::Exposition;
  using Seen = std::vector<WorkerSurvey::Seen>;
  metrics_.add([this](Page& page, const Seen& seen) { write_workers(page, workers_, seen); });
  metrics_.add([this](Page& page, const Seen&) { write_requests(page, workers_, route_names_); });
  metrics_.add([this](Page& page, const Seen&) { write_wait_sites(page, workers_); });
  metrics_.add([this](Page& page, const Seen&) { write_dictionaries(page, shared_); });
  metrics_.add([this](Page& page, const Seen&) { write_sessions(page, sessions_); });
  metrics_.add([this](Page& page, const Seen& seen) { write_topics(page, topics_, seen); });
  metrics_.add([](Page& page, const Seen& seen) { write_hosts(page, seen); });
  metrics_.add([this](Page& page, const Seen&) { write_errors(page, errors_); });
  metrics_.add([this](Page& page, const Seen&) { write_reloads(page, reloads_); });
  metrics_.add([this](Page& page, const Seen&) { write_logs(page, *error_log_, access_targets_); });
  metrics_.add([](Page& page, const Seen&) { write_process(page); });
  dashboard_.open(
      {&workers_, &route_names_, &reloads_, &errors_, &sessions_, &topics_, &shared_, &addresses_, options_->app});
}

// Called on the reloader's thread; the figures are the main one's.
void Server::note_reload(const ReloadResult& result) {
  loop_.post([this, reload = ReloadFigures::Reload{wall_seconds(), result.seconds, result.ok, result.generation,
                                                   result.mistakes}]() mutable { reloads_.note(std::move(reload)); });
}

// Has `done` called with what the loaded app says of itself on each worker: {"workers":[...]}. Main thread.
void Server::describe_workers(const char* what, const std::function<void(std::string)>& done) {
  struct Gathered {
    std::vector<std::string> texts;
    std::size_t missing;
  };
  auto gathered = std::make_shared<Gathered>(Gathered{std::vector<std::string>(workers_.size()), workers_.size()});
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    workers_[i]->describe(what, [this, i, gathered, done](std::string text) {
      loop_.post([i, gathered, done, text = std::move(text)] {
        gathered->texts[i] = text;
        if (--gathered->missing > 0) {
          return;
        }
        std::string json = "{\"workers\":[";
        for (const std::string& each : gathered->texts) {
          json += (json.back() == '[' ? "" : ",") + each;
        }
        done(json + "]}");
      });
    });
  }
}

}  // namespace perigee::server
