#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "script/exchange.h"
#include "script/job.h"
#include "script/vm.h"

namespace perigee::script {

/// A request that is answered without a handler: no route, no such method, a bad parameter, a body too large.
struct Refusal {
  int status = 404;
  std::string_view detail;
  std::string_view allow;  ///< the Allow field of 405; "" without
  /// Of a path parameter that has the wrong type: what the problem's `errors` member says.
  std::string_view parameter;
  std::string_view expected;
  std::string_view got;
};

/// Takes requests into a VM and answers out of it. Every method returns what has come of the task; none calls back.
/// Worker's thread only.
class Dispatcher {
 public:
  enum class Outcome : std::uint8_t {
    kWaiting,   ///< the task waits for something: resume() when it is there
    kAnswered,  ///< exchange.answer is filled; its views hold until the next call
    kStreamed,  ///< the streamed body is complete
    kBroken,    ///< a streamed body stopped in its middle
    kDone       ///< nothing is left to do: the task has been given back
  };

  explicit Dispatcher(Vm& vm) : vm_(vm) {}

  /// Runs the handler of `route` on a task of its own.
  [[nodiscard]] Outcome call(Exchange& exchange, std::int32_t route);

  /// Answers a request that no handler takes, by the app's hooks where it has any.
  [[nodiscard]] Outcome refuse(Exchange& exchange, const Refusal& refusal);

  /// Answers without asking Lua.
  static void answer_problem(Exchange& exchange, int status, std::string_view detail, const std::string& request_id);

  /// Goes on with a task that waited.
  [[nodiscard]] Outcome resume(Task& task);

  /// Runs the function of a streamed answer. REQUIRES: its head is on the way.
  [[nodiscard]] Outcome stream(Exchange& exchange);

  /// The answer has been sent: ends the task, or runs what the app wants done after it. kWaiting: the exchange and the
  /// task are still in use (resume() will say kDone). Otherwise the task is given back.
  [[nodiscard, gnu::always_inline]] Outcome finish(Exchange& exchange) {
    Task& task = *exchange.task;
    if (!vm_.has_after() && task.view.deferred == 0) [[likely]] {
      vm_.give_task(task);
      return Outcome::kDone;
    }
    return finish_by_hooks(task);
  }

  /// Runs the app's hooks called `name` ("start", "stop"), in order, on a task of their own. `on_end` is told "" or the
  /// error with its traceback, once.
  void run_hooks(const char* name, std::function<void(const std::string& error)> on_end);

  /// Runs a job on a task of its own; REQUIRES: the VM was loaded for that. `on_end` is told "" when job.outcome is
  /// there, or why it is not, once.
  void run_job(Job& job, std::function<void(const std::string& error)> on_end);

  /// Starts the task that a C function prepared (see bind_task.cc).
  void run_spawned(Task& task) { (void)settle(task, vm_.resume(task, lua_top(task) - 1)); }

 private:
  [[nodiscard]] static int lua_top(const Task& task);
  [[nodiscard, gnu::always_inline]] Task& begin_task(Exchange& exchange) {
    Task& task = vm_.take_task();
    exchange.task = &task;
    task.exchange = &exchange;
    task.view.request = &exchange.view;
    return task;
  }
  [[nodiscard]] Outcome settle(Task& task, Vm::Status status);
  [[nodiscard]] Outcome returned(Task& task, Vm::Status& status);
  [[nodiscard]] Outcome answered(Task& task, Vm::Status& status);
  [[nodiscard]] Outcome failed(Task& task, Vm::Status& status);
  [[nodiscard]] Outcome spawned_failed(Task& task);
  [[nodiscard]] Outcome end_failed(Task& task, Vm::Status& status, bool starved);
  [[nodiscard]] Outcome answer_failed(Task& task, Vm::Status& status);
  [[nodiscard]] bool tell_failure(Task& task, bool starved);
  [[nodiscard]] bool is_ready(Task& task);
  [[nodiscard]] Vm::Status resume_answer(Task& task);
  [[nodiscard]] Vm::Status resume_save(Task& task);
  [[nodiscard]] Outcome end_spawned(Task& task, const std::string& error);
  void fail_natively(Task& task, int otherwise);
  [[nodiscard]] std::string starved_text(const Task& task) const;
  void end_task(Task& task, const std::string& error);
  [[nodiscard]] Outcome finish_by_hooks(Task& task);

  Vm& vm_;
};

}  // namespace perigee::script
