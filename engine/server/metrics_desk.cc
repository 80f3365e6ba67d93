#include "server/metrics_desk.h"

#include <utility>

namespace perigee::server {

void MetricsDesk::request(Done done) {
  waiting_.push_back(std::move(done));
  if (waiting_.size() == 1) {
    survey_.request([this](const std::vector<WorkerSurvey::Seen>& seen) { finish(seen); });
  }
}

void MetricsDesk::finish(const std::vector<WorkerSurvey::Seen>& seen) {
  profiler::Exposition page;
  for (const Source& source : sources_) {
    source(page, seen);
  }
  for (const Done& done : std::exchange(waiting_, {})) {
    done(page.text());
  }
}

}  // namespace perigee::server
