#include "script/governor.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <lua.hpp>
#include <mutex>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "base/log.h"
#include "base/watchdog.h"
#include "script/memory_budget.h"
#include "script/probe.h"
#include "script/safepoint.h"
#include "script/task.h"
#include "script/trace_places.h"
#include "script/vm.h"

namespace perigee::script {
namespace {

constexpr std::int64_t kReportEvery = 1'000'000'000;  // ns
constexpr std::int64_t kMostSpared = 1'000'000'000;   // ns of the library after an order
constexpr std::int64_t kMostFinalizing = 50'000'000;  // ns of finalizers likewise

// `message`, and what runs below it, innermost first; the message alone where there is no memory for more.
std::string traceback(lua_State* running, const Task* task, const char* message) {
  struct Context {
    lua_State* task;
    std::string text;
  } context{task != nullptr ? task->coroutine : running, message};
  const int status = lua_cpcall(
      running,
      [](lua_State* state) {
        auto* wanted = static_cast<Context*>(lua_touserdata(state, 1));
        luaL_traceback(state, state, wanted->text.c_str(), 1);
        if (wanted->task != state) {  // a coroutine of the program's own
          luaL_traceback(state, wanted->task, "\ncalled by", 0);
          lua_concat(state, 2);
        }
        wanted->text = lua_tostring(state, -1);
        return 0;
      },
      &context);
  if (status != 0) {
    lua_pop(running, 1);
  }
  return context.text;
}

// What this thread has computed so far, in ns.
std::int64_t computed() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

}  // namespace

bool is_library(std::string_view source) {
  return source.starts_with("@lua/perigee") || source.starts_with("=(");
}

Governor::Governor(Vm& vm, LuaAllocator& memory, const VmLimits& limits)
    : vm_(vm),
      limits_(limits),
      memory_(std::make_unique<MemoryBudget>(*this, vm, memory, limits)),
      traces_(Safepoint::calibrate().interrupt ? nullptr : std::make_unique<TracePlaces>()) {}

Governor::~Governor() = default;

std::string Governor::take_refusal() {
  return memory_->take_refusal();
}

void Governor::open(lua_State* main) {
  static std::once_flag once;
  std::call_once(once, [] {
    struct sigaction action {};
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART;
    sigaction(Watchdog::signal(), &action, nullptr);
  });
  main_ = main;
  Safepoint::prepare(main);
}

void Governor::follow_traces() {
  if (traces_ != nullptr) {
    traces_->watch(main_);
  }
}

void Governor::on_signal(int) noexcept {
  const int before = errno;
  if (pulse.stay.load(std::memory_order_relaxed) != 0) {
    static_cast<Governor*>(pulse.guest)->poke();
  }
  errno = before;
}

void Governor::poke() noexcept {
  if (pulse.stop_stay.load(std::memory_order_relaxed) == pulse.stay.load(std::memory_order_relaxed)) {
    orders_.fetch_or(kStop, std::memory_order_relaxed);
  }
  if (pulse.blocked_stay.load(std::memory_order_acquire) == pulse.stay.load(std::memory_order_relaxed) &&
      block_.empty()) {
    orders_.fetch_or(kReport, std::memory_order_relaxed);
  }
  if (orders_.load(std::memory_order_relaxed) != 0) {
    arm();
  }
}

void Governor::order_weighing() noexcept {
  orders_.fetch_or(kWeigh, std::memory_order_relaxed);
  arm();
}

void Governor::order_look() noexcept {
  orders_.fetch_or(kLook, std::memory_order_relaxed);
  arm();
}

void Governor::arm() noexcept {
  if (at_point_.load(std::memory_order_relaxed)) {
    return;
  }
  if (!armed_.load(std::memory_order_relaxed) && lua_gethook(main_) != on_hook) {  // or this interrupts disarm()
    program_hook_ = lua_gethook(main_);
    program_mask_ = lua_gethookmask(main_);
    program_count_ = lua_gethookcount(main_);
  }
  pulse.noted.store(true, std::memory_order_relaxed);
  armed_.store(true, std::memory_order_relaxed);
  Safepoint::arm(main_, on_hook);
}

void Governor::disarm() noexcept {
  if (armed_.exchange(false, std::memory_order_relaxed)) {
    Safepoint::disarm(main_, program_hook_, program_mask_, program_count_);
  }
}

void Governor::on_hook(lua_State* state, lua_Debug*) {
  static_cast<Governor*>(pulse.guest)->at_safepoint(state);
}

void Governor::at_safepoint(lua_State* state) {
  at_point_.store(true, std::memory_order_relaxed);
  const int orders = orders_.fetch_and(~(kReport | kWeigh | kLook), std::memory_order_relaxed);
  if ((orders & kReport) != 0) {
    block_ = traceback(state, vm_.current(), "");
  }
  if ((orders & kLook) != 0) {
    traces_->update(state);
    Probe::look(state);
  }
  if ((orders & kWeigh) != 0) {
    at_point_.store(false, std::memory_order_relaxed);  // what finalizes can be stopped
    if (memory_->weigh(state)) {
      heavy_ = true;
      orders_.fetch_or(kStop, std::memory_order_relaxed);
    }
    at_point_.store(true, std::memory_order_relaxed);
  }
  const bool stopping = (orders_.load(std::memory_order_relaxed) & kStop) != 0;
  if (stopping && !spares(state)) {
    stop(state);
  }
  at_point_.store(false, std::memory_order_relaxed);
  if (!stopping) {
    disarm();
    if ((orders_.load(std::memory_order_relaxed) & kLook) != 0) {
      arm();  // ordered meanwhile
    }
  }
}

// What is spared runs on, compiled code as compiled code: a loop over pairs() makes no step where it has to come back
// at once. Whoever gave the order gives it again. Finalizers are let finish, too, for a while. The error stays within
// those that the library guards; where compiled code has led to the collector, one that left another would have LuaJIT
// do anything (it drives the collector from its exit of a trace, which no error can be raised through).
bool Governor::spares(lua_State* state) {
  const std::int64_t now = computed();
  if (spared_since_ == 0) {
    spared_since_ = now;
  }
  lua_Debug frame;
  const bool library =
      lua_getstack(state, 0, &frame) == 1 && lua_getinfo(state, "S", &frame) != 0 && is_library(frame.source);
  const bool finalizing = Safepoint::finalizing(main_);
  const bool unguarded = finalizing && !vm_.guards_finalizer() && vm_.current() != nullptr;
  if (now - spared_since_ < (library || unguarded ? kMostSpared : finalizing ? kMostFinalizing : 0)) {
    return true;
  }
  if (unguarded) {
    log_event(LogLevel::kError, "a finalizer that has no guard does not end, and can't be stopped: the process ends");
    std::abort();
  }
  return false;
}

// Why what runs is stopped, as the end of a message.
void Governor::say_why(const Task* task, char (&text)[kReasonLength]) const {
  if (heavy_) {
    std::snprintf(text, sizeof text, "%s", memory_->verdict().c_str());
    return;
  }
  const bool loading = !vm_.attached();
  const std::int64_t limit = task != nullptr ? task->cpu_limit : loading ? limits_.load : limits_.cpu;
  const bool is_file_of_tests = vm_.settings().tests && limit == limits_.load;
  const bool names_option = loading || is_file_of_tests;
  const char* const what = is_file_of_tests ? "did not end within"
                           : loading        ? "the app did not load within"
                                            : "over its CPU limit of";
  std::snprintf(text, sizeof text, names_option ? "%s %.3g s (%s)" : "%s %.14g s", what,
                static_cast<double>(limit) * 1e-9, limits_.load_option);
}

// Raises. The hook stays: what catches the error is stopped at its next instruction.
void Governor::stop(lua_State* state) {
  Task* task = vm_.current();
  const double serial = task != nullptr ? task->view.serial : -1;
  lua_Debug frame;
  lua_getstack(state, 0, &frame);
  lua_getinfo(state, "Sl", &frame);
  char reason[kReasonLength];
  say_why(task, reason);
  lua_pushfstring(state, "%s:%d: %s", frame.short_src, frame.currentline, reason);
  if (vm_.stopped() != serial) {
    vm_.stopped() = serial;
    trace_ = traceback(state, task, lua_tostring(state, -1));
  }
  if (task != nullptr && task->view.cancelled == 0) {
    task->view.cancelled = static_cast<std::int32_t>(heavy_ ? CancelReason::kMemoryLimit : CancelReason::kCpuLimit);
  }
  at_point_.store(false, std::memory_order_relaxed);
  spared_since_ = 0;  // of the library, what comes to know of it may do its part
  arm();
  lua_error(state);
}

void Governor::leave(Task* task) {
  pulse.noted.store(false, std::memory_order_relaxed);
  const std::int64_t charged = pulse.charged_ns.exchange(0, std::memory_order_relaxed);
  if (task != nullptr && task->cpu_limit != Pulse::kNoLimit) {
    task->cpu_left = task->limited_anew() ? task->cpu_limit : task->cpu_left - charged;
  }
  memory_->settle();
  if (std::exchange(heavy_, false)) {
    memory_->clear_up();
  }
  if (pulse.blocked_stay.exchange(0, std::memory_order_relaxed) != 0) {
    report_block(task);
  }
  if (armed_.load(std::memory_order_relaxed)) {
    arm();  // whole tables, before they are put back
    disarm();
  }
  orders_.store(0, std::memory_order_relaxed);
  at_point_.store(false, std::memory_order_relaxed);
  spared_since_ = 0;
  Probe::look_at_end(task != nullptr ? task->coroutine : main_);
}

// One event for a stay that held up the worker, at its end. One that was stopped has had its own; of many within a
// second only the first is told.
void Governor::report_block(const Task* task) {
  const std::string where = std::exchange(block_, {});
  const bool stopped = (orders_.load(std::memory_order_relaxed) & kStop) != 0;
  const std::int64_t now = monotonic_ns();
  if (!vm_.attached() || stopped) {
    return;
  }
  if (now - block_reported_ < kReportEvery) {
    ++blocks_unreported_;
    return;
  }
  block_reported_ = now;
  const std::int64_t since = pulse.blocked_since.load(std::memory_order_relaxed);
  std::string text = "the worker was held up for " + std::to_string((now - since) / 1'000'000) + " ms";
  if (const int more = std::exchange(blocks_unreported_, 0); more > 0) {
    text += ", and " + std::to_string(more) + " times within a second of the last report";
  }
  const bool in_request = task != nullptr && task->exchange != nullptr;
  log_sink().write(LogLevel::kWarn, text + where, "", in_request ? vm_.host().request_id(*task->exchange) : "");
}

std::string Governor::pardon(Task& task) {
  if (vm_.stopped() != task.view.serial) {
    return "";
  }
  vm_.stopped() = 0;
  if (is_stop(task.view.cancelled)) {
    task.view.cancelled = 0;
  }
  task.cpu_left = task.cpu_limit;
  memory_->renew(task);
  if (vm_.current() == &task) {
    if (std::exchange(heavy_, false)) {
      memory_->clear_up();
    }
    orders_.fetch_and(~(kStop | kWeigh), std::memory_order_relaxed);
    pulse.left_ns.store(Pulse::kNoLimit, std::memory_order_relaxed);
    pulse.stop_stay.store(0, std::memory_order_relaxed);
    pulse.stop.store(false, std::memory_order_relaxed);
    pulse.charged_ns.store(0, std::memory_order_relaxed);
    pulse.left_ns.store(task.cpu_left, std::memory_order_relaxed);
    spared_since_ = 0;
    disarm();
  }
  return std::exchange(trace_, {});
}

}  // namespace perigee::script
