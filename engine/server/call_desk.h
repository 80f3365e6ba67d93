#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "net/event_loop.h"
#include "profiler/call_table.h"
#include "profiler/recorder.h"
#include "server/worker.h"

namespace perigee::server {

/// Has all workers count their calls for a while, and makes the table of it. One at a time: who comes meanwhile waits.
/// Belongs to `loop`, the main thread's.
class CallDesk {
 public:
  /// The table; or "!" and why there is none.
  using Done = std::function<void(std::string)>;

  static constexpr std::size_t kMostWaiting = 16;  ///< more are refused

  /// REQUIRES: all outlive the desk.
  CallDesk(net::EventLoop& loop, const std::vector<std::unique_ptr<Worker>>& workers, profiler::Recorder& recorder)
      : loop_(loop), workers_(workers), recorder_(recorder) {}

  /// Counts for the seconds that `request` says. `number`: what forget() knows it by, no other has it.
  void request(std::uint64_t number, const std::string& request, Done done);
  /// Ends what nobody waits for any more, or never begins it; `done` is not called then.
  void forget(std::uint64_t number);

 private:
  struct Order {
    std::uint64_t number;
    double seconds;
    Done done;
  };

  void begin();
  void end(std::uint64_t number, const profiler::Profile& cpu);
  void stop();
  void proceed();
  void ask(const char* what, const std::function<void(const std::string& text)>& take);
  void answer(const std::string& text);

  net::EventLoop& loop_;
  const std::vector<std::unique_ptr<Worker>>& workers_;
  profiler::Recorder& recorder_;
  std::deque<Order> orders_;     // the first is under way
  std::uint64_t recording_ = 0;  // the recorder's, for the first; 0 once that is over
  profiler::CallTable table_;
  std::size_t missing_ = 0;  // answers of workers
};

}  // namespace perigee::server
