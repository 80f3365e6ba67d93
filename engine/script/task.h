#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/timer_wheel.h"
#include "script/raw_stack.h"
#include "script/request_view.h"

struct lua_State;

namespace perigee::client {
class HttpCall;
}

namespace perigee::script {

class Exchange;
struct Origin;
class Vm;

/// A coroutine that may wait: it runs a request's handler, a spawned function or a hook. Pooled by its VM, whose thread
/// alone touches it.
class Task {
 public:
  enum class Purpose : std::uint8_t { kRequest, kSpawned };
  enum class Phase : std::uint8_t {
    kHandler,    ///< the route's function, or a spawned one
    kFailure,    ///< what it raised is being logged and made an answer
    kErrorHook,  ///< app:error renders a problem
    kAnswer,     ///< what was returned is being normalized
    kSave,       ///< what a stream that broke off had written to its session is written
    kStream,     ///< the function given to perigee.stream writes the body
    kAfter       ///< app:after hooks run, the answer is gone
  };

  explicit Task(Vm& owner);
  ~Task();
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;

  TaskView view;
  Vm& vm;
  Exchange* exchange = nullptr;
  std::shared_ptr<const Origin> origin;  ///< of a spawned one: the request that began it; null outside of any
  lua_State* coroutine = nullptr;
  int coroutine_ref = 0;        ///< keeps the coroutine, in the VM's registry
  RawStack::Kept view_pointer;  ///< the FFI pointer to `view`
  Purpose purpose = Purpose::kRequest;
  Phase phase = Phase::kHandler;
  bool waiting = false;  ///< suspended until woken
  bool ready = false;    ///< in the VM's queue of tasks to resume
  bool running = false;
  bool answering_error = false;  ///< app:error was asked already: what fails now is answered natively
  int default_status = 200;
  std::int64_t waiting_since = 0;  ///< monotonic nanoseconds; 0 while it does not wait
  std::int64_t cpu_limit = 0;      ///< nanoseconds; Pulse::kNoLimit for any
  std::int64_t cpu_left = 0;       ///< of it
  /// What the governor's MemoryBudget knows of it; of another task where the serial is another than the view's.
  struct Memory {
    double serial = 0;
    std::size_t base = 0;   ///< bytes of the heap when it began
    std::size_t taken = 0;  ///< bytes that it made the heap grow by
  } memory;
  std::optional<std::string> told;                       ///< "" or why what it wrote to a session is not safe
  std::unique_ptr<client::HttpCall> ask;                 ///< of HttpAsks
  std::string result;                                    ///< of an operation that the task asked the server for
  std::function<void(const std::string& error)> on_end;  ///< of hooks: told "" or the error

  /// Nothing of what it did is left but its coroutine; `serial` is that of what it does next.
  void end(double serial) {
    view.request = nullptr;
    view.serial = serial;
    view.cancelled = 0;
    view.deferred = 0;
    view.again = 0;
    view.wants_room = 0;
    view.wants_body = 0;
    view.shielded = 0;
    view.ticking = 0;
    view.session = 0;
    exchange = nullptr;
    purpose = Purpose::kRequest;
    phase = Phase::kHandler;
    waiting = ready = running = answering_error = false;
    default_status = 200;
  }

  /// Wakes the task at `deadline`.
  void wake_at(Milliseconds deadline);
  void stop_timer() {
    if (timer_.pending()) {
      timer_.cancel();
    }
  }

  /// Whether its waits raise.
  [[nodiscard]] bool raises() const { return view.cancelled != 0 && view.shielded == 0; }

  /// Whether its limits begin anew with each wait, as it may live for long.
  [[nodiscard]] bool limited_anew() const { return purpose == Purpose::kSpawned || phase >= Phase::kStream; }

 private:
  void on_timer();

  TimerOf<Task, &Task::on_timer> timer_;
};

}  // namespace perigee::script
