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
  dashboard_.open({&workers_, &route_names_, &reloads_, &errors_, &sessions_, &topics_, &shared_, &listeners_.urls(),
                   options_->app});
}

// Called on the reloader's thread; the figures are the main one's.
void Server::note_reload(const ReloadResult& result) {
  loop_.post([this, reload = ReloadFigures::Reload{wall_seconds(), result.seconds, result.ok, result.generation,
                                                   result.mistakes}]() mutable { reloads_.note(std::move(reload)); });
}

}  // namespace perigee::server
