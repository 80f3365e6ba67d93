#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "profiler/exposition.h"
#include "server/worker_survey.h"

namespace perigee::server {

/// Makes the page of metrics. Whatever has figures to show adds a source. The main thread's.
class MetricsDesk {
 public:
  using Source = std::function<void(profiler::Exposition& page, const std::vector<WorkerSurvey::Seen>& seen)>;
  using Done = std::function<void(std::string page)>;

  /// REQUIRES: it outlives the desk.
  explicit MetricsDesk(WorkerSurvey& survey) : survey_(survey) {}
  MetricsDesk(const MetricsDesk&) = delete;
  MetricsDesk& operator=(const MetricsDesk&) = delete;

  /// Has `source` write its metrics on every page, behind those added before, on the main thread.
  void add(Source source) { sources_.push_back(std::move(source)); }

  /// Has `done` called on the main thread with the page. Requests that come while one is made share it.
  void request(Done done);

 private:
  void finish(const std::vector<WorkerSurvey::Seen>& seen);

  WorkerSurvey& survey_;
  std::vector<Source> sources_;
  std::vector<Done> waiting_;
};

}  // namespace perigee::server
