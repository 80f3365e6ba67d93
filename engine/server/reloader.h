#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/watchdog.h"
#include "server/options.h"
#include "server/worker.h"

namespace perigee::server {

/// What came of loading configuration and app.
struct ReloadResult {
  bool ok = false;
  std::uint64_t generation = 0;
  std::size_t routes = 0;
  double seconds = 0;                      ///< that it took
  std::vector<std::string> mistakes;       ///< each with file and line
  std::shared_ptr<const Options> options;  ///< in force from here on; null when not ok
};

/// Loads new generations on a thread of its own: all workers' VMs are built and checked there, the start hooks run on
/// each worker, and only when everything stands do the workers switch, each between two requests. A failure changes
/// nothing; but in development a page that shows the mistakes takes the app's place until they are mended. Requests for
/// a reload that come while one runs are served together by the next.
class Reloader {
 public:
  using Done = std::function<void(const ReloadResult& result)>;
  /// Reads the configuration anew: options, or mistakes.
  using ReadOptions =
      std::function<std::shared_ptr<const Options>(const Options& running, std::vector<std::string>& mistakes)>;

  /// `watchdog` stops app files that never end, `errors` counts failed reloads; null where none does.
  Reloader(std::vector<std::unique_ptr<Worker>>& workers, std::shared_ptr<const Options> options, ReadOptions read,
           Watchdog* watchdog, profiler::ErrorDesk* errors);
  ~Reloader();
  Reloader(const Reloader&) = delete;
  Reloader& operator=(const Reloader&) = delete;

  /// Loads the first generation, on the calling thread; in development something is served even when that fails.
  /// REQUIRES: the workers run, start() was not called.
  [[nodiscard]] ReloadResult load_first();

  /// Starts the thread.
  void start();

  /// Gives up what is under way as soon as it can be, and takes no more. Does not wait for it. Any thread.
  void stop();

  /// Asks for a reload; `done` is called on the reloader's thread. Any thread.
  void request(Done done);

  /// The options in force. Any thread.
  [[nodiscard]] std::shared_ptr<const Options> options() const;
  /// The routes in force, as JSON. Any thread.
  [[nodiscard]] std::string routes_json() const;
  /// Their OpenAPI document. Any thread.
  [[nodiscard]] std::string openapi_json() const;

 private:
  void run();
  void refuse_waiting();
  void serve(const std::vector<Done>& waiting);
  [[nodiscard]] ReloadResult attempt(const Options& running);
  void report(const ReloadResult& result);
  void take_back();
  [[nodiscard]] bool stopping() const;
  [[nodiscard]] ReloadResult reload();
  [[nodiscard]] ReloadResult load(const std::shared_ptr<const Options>& options);
  [[nodiscard]] ReloadResult switch_to(const std::shared_ptr<const Options>& options);
  void note_mistakes(const std::vector<std::string>& mistakes);
  void show_mistakes(const std::vector<std::string>& mistakes);
  [[nodiscard]] bool wait_for_room();
  [[nodiscard]] std::vector<std::unique_ptr<script::Vm>> build(const Options& options,
                                                               std::vector<std::string>& mistakes) const;
  void start_hooks(std::vector<std::unique_ptr<script::Vm>> vms, const Options& options,
                   std::vector<std::string>& mistakes);

  std::vector<std::unique_ptr<Worker>>& workers_;
  ReadOptions read_options_;
  Watchdog* watchdog_;
  profiler::ErrorDesk* errors_;
  std::uint64_t generation_ = 0;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::shared_ptr<const Options> options_;  // guarded by mutex_
  std::string routes_json_ = "[]";          // guarded by mutex_
  std::string openapi_json_ = "{}";         // guarded by mutex_
  std::vector<Done> waiting_;               // guarded by mutex_
  bool stopping_ = false;                   // guarded by mutex_
  ReloadResult refused_;                    // what is told where the server stops
  ReloadResult starved_;                    // and where there is no memory for a better answer
  std::thread thread_;
};

}  // namespace perigee::server
