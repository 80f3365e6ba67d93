#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/work_queue.h"
#include "net/event_loop.h"
#include "net/file_watch.h"
#include "profiler/error_desk.h"
#include "server/access_targets.h"
#include "server/background.h"
#include "server/call_desk.h"
#include "server/command_line.h"
#include "server/connection_limits.h"
#include "server/dashboard_desk.h"
#include "server/error_log.h"
#include "server/last_resort.h"
#include "server/listeners.h"
#include "server/metric_sources.h"
#include "server/metrics_desk.h"
#include "server/profile_desk.h"
#include "server/reloader.h"
#include "server/vm_replacement.h"
#include "server/worker.h"
#include "server/worker_survey.h"
#include "state/memory_sessions.h"
#include "state/rate_limiter.h"
#include "state/session_journal.h"
#include "state/shared_dictionaries.h"
#include "state/topics.h"

namespace perigee::server {

/// The whole server in one process: logs, sockets, workers, the admin port, signals. Lives on the main thread.
class Server {
 public:
  /// `command` says where the configuration is, so that a reload can read it again.
  Server(const CommandLine& command, const Options& options);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Serves until a signal ends it. Returns the process's exit code; what kept it from starting is printed.
  [[nodiscard]] int run();

 private:
  [[nodiscard]] Result<> open_logs();
  void tell_of_gaps();
  [[nodiscard]] std::vector<std::string> opened_files() const;
  void start_workers();
  [[nodiscard]] Worker::Setup shared_setup();
  [[nodiscard]] Worker::Setup worker_setup();
  [[nodiscard]] bool load_app();
  [[nodiscard]] Result<> start_admin();
  void start_listening();
  void start_watching();
  void on_signal(int signal);
  void reload_by_signal();
  [[nodiscard]] Result<> open_sessions();
  void sweep_sessions();
  void bound_state(const Options& options);
  void bound_errors(const Options& options);
  void after_reload(const ReloadResult& result);
  void reopen_logs();
  void begin_drain();
  void log_errors() const;
  void give_up();
  void add_metrics();
  void note_reload(const ReloadResult& result);
  void describe_workers(const char* what, const std::function<void(std::string)>& done);
  void operate(std::string_view name, const std::function<void(std::string)>& done);
  [[nodiscard]] bool begin_recording(std::string_view name, const std::function<void(std::string)>& done);
  [[nodiscard]] std::shared_ptr<const Options> read_options(const Options& running, std::vector<std::string>& mistakes);
  [[nodiscard]] Worker& least_loaded();

  LastResort last_resort_;  // outlives the rest
  CommandLine command_;
  std::shared_ptr<const Options> options_;
  std::unique_ptr<ErrorLog> error_log_;
  AccessTargets access_targets_;
  ConnectionLimits limits_;
  state::RateLimiter rates_;          // outlives every generation
  state::SharedDictionaries shared_;  // likewise
  profiler::RouteNames route_names_;  // likewise
  profiler::RouteNames admin_route_names_;
  state::MemorySessions sessions_;  // likewise
  std::unique_ptr<state::SessionJournal> journal_;
  state::Topics topics_;  // likewise
  profiler::ErrorDesk errors_;
  profiler::Recorder recorder_{[this](std::int32_t route) {
    return route_names_.text(static_cast<std::size_t>(route));
  }};  // outlives the workers
  ProfileDesk profiles_{recorder_};
  WorkQueue helpers_;  // stopped before the workers end
  ConnectionLimits admin_limits_;
  Listeners listeners_;
  net::EventLoop loop_;
  std::unique_ptr<net::FileWatch> watch_;   // in development
  std::unique_ptr<Watchdog> watchdog_;      // outlives the threads it watches
  std::unique_ptr<Background> background_;  // outlives the workers, and is stopped before they end
  std::vector<std::unique_ptr<Worker>> workers_;
  WorkerSurvey survey_;
  MetricsDesk metrics_{survey_};
  DashboardDesk dashboard_{survey_};
  CallDesk calls_{loop_, workers_, recorder_};
  ReloadFigures reloads_;
  std::unique_ptr<Reloader> reloader_;
  std::unique_ptr<Worker> admin_;
  std::size_t undrained_ = 0;
  TimerOf<Server, &Server::give_up> patience_;
  TimerOf<Server, &Server::sweep_sessions> sweeping_;
  std::atomic<bool> ready_{false};
  bool draining_ = false;
  VmReplacement replacement_{[this] { reload_by_signal(); }};
};

}  // namespace perigee::server
