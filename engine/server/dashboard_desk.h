#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/json_writer.h"
#include "profiler/error_desk.h"
#include "server/metric_sources.h"
#include "server/route_board.h"
#include "server/worker_survey.h"
#include "state/session_store.h"
#include "state/shared_dictionaries.h"
#include "state/topics.h"

namespace perigee::server {

/// Says what the dashboard shows, whenever it asks: two lines for each part, its name and JSON. `point` comes first,
/// the few figures of which the page keeps the last minutes. Counts are since the start; whoever shows rates has two of
/// them to compare. Nothing is computed while nobody asks. The main thread's.
class DashboardDesk {
 public:
  using Done = std::function<void(std::string lines)>;

  /// What is looked at; all of it outlives the desk.
  struct Sources {
    const std::vector<std::unique_ptr<Worker>>* workers = nullptr;
    const profiler::RouteNames* routes = nullptr;
    const ReloadFigures* reloads = nullptr;
    const profiler::ErrorDesk* errors = nullptr;
    const state::SessionStore* sessions = nullptr;
    state::Topics* topics = nullptr;
    state::SharedDictionaries* dictionaries = nullptr;
    const std::vector<std::string>* addresses = nullptr;
    std::string app;
  };

  static constexpr std::size_t kMostSlow = 10;
  static constexpr std::size_t kMostErrors = 15;       ///< the last ones
  static constexpr std::size_t kMostTraceback = 3000;  ///< bytes
  static constexpr std::size_t kMostHosts = 20;        ///< those with the most requests; dictionaries likewise

  /// REQUIRES: it outlives the desk.
  explicit DashboardDesk(WorkerSurvey& survey) : survey_(survey) {}
  DashboardDesk(const DashboardDesk&) = delete;
  DashboardDesk& operator=(const DashboardDesk&) = delete;

  /// Before the first request.
  void open(Sources sources) { sources_ = std::move(sources); }

  /// Has `done` called on the main thread with the lines.
  void request(Done done);

 private:
  using Seen = std::vector<WorkerSurvey::Seen>;

  [[nodiscard]] std::string lines(const Seen& seen);
  void write_server(JsonWriter& json) const;
  void write_point(JsonWriter& json, const Seen& seen, const RouteBoard::Board& board, double now) const;
  void write_workers(JsonWriter& json, const Seen& seen) const;
  static void write_routes(JsonWriter& json, const RouteBoard::Board& board);
  void write_waits(JsonWriter& json) const;
  void write_state(JsonWriter& json, const Seen& seen) const;
  static void write_slow(JsonWriter& json, const Seen& seen);
  void write_errors(JsonWriter& json) const;
  void write_reloads(JsonWriter& json) const;

  WorkerSurvey& survey_;
  Sources sources_;
  RouteBoard board_;
};

}  // namespace perigee::server
