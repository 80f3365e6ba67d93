#include "script/memory_budget.h"

#include <algorithm>
#include <cstdio>
#include <lua.hpp>
#include <utility>

#include "base/clock.h"
#include "base/log.h"
#include "script/exchange.h"
#include "script/governor.h"
#include "script/host.h"
#include "script/safepoint.h"
#include "script/task.h"
#include "script/vm.h"

namespace perigee::script {
namespace {

constexpr std::int64_t kCollectEvery = 1'000'000'000;  // ns
constexpr std::size_t kLarge = std::size_t{1} << 18;   // bytes: what is refused, and no less
constexpr std::size_t kLittle = std::size_t{1} << 16;  // bytes that one may take in a full VM
constexpr std::size_t kPlaceLength = LUA_IDSIZE + 16;

std::string mebibytes(std::size_t bytes) {
  const std::size_t tenths = (bytes * 10 + (std::size_t{1} << 19)) >> 20;
  const std::string whole = std::to_string(tenths / 10);
  return (tenths % 10 == 0 ? whole : whole + "." + std::to_string(tenths % 10)) + " MiB";
}

}  // namespace

MemoryBudget::MemoryBudget(Governor& governor, Vm& vm, LuaAllocator& memory, const VmLimits& limits)
    : governor_(governor), vm_(vm), memory_(memory), limits_(limits), relieve_at_(limits.vm_memory), relief_(*this) {
  refusal_place_.reserve(kPlaceLength);
  memory_.set_guard(this);
}

MemoryBudget::~MemoryBudget() {
  memory_.set_guard(nullptr);
}

std::size_t MemoryBudget::used() const {
  return static_cast<std::size_t>(lua_gc(governor_.main(), LUA_GCCOUNT, 0)) << 10;
}

std::size_t MemoryBudget::limit_of(const Task* task) const {
  if (!vm_.attached()) {
    return limits_.vm_memory;
  }
  const std::int32_t route = task != nullptr && task->exchange != nullptr ? task->exchange->view.route : -1;
  return route < 0 ? limits_.memory : vm_.routes()[static_cast<std::size_t>(route)].memory_limit;
}

bool MemoryBudget::allows(std::size_t bytes) noexcept {
  const std::size_t held = memory_.held() + bytes;
  if (held > relieve_at_ && vm_.attached() && !relief_.pending()) {
    vm_.host().timers().add(relief_, monotonic_ms());
  }
  if (!governor_.inside()) {
    return true;
  }
  if (held > limits_.vm_most && refuses(bytes)) {
    return false;
  }
  const std::size_t now = used();
  if (!open_ || task_ != vm_.current()) {
    settle();
    open(now);
  }
  if (now + bytes > weigh_at_ || now + bytes > limits_.vm_most || held > ceiling()) {
    governor_.order_weighing();
  }
  return true;
}

// A quarter above the limit: memory that small blocks have taken is kept for others of their size.
std::size_t MemoryBudget::ceiling() const {
  return limits_.vm_most + limits_.vm_most / 4;
}

bool MemoryBudget::is_full() const {
  return used() > limits_.vm_most || memory_.held() > ceiling();
}

// Whether the VM is full, and what runs has taken more of it than any request needs to be answered.
bool MemoryBudget::is_too_much() const {
  const std::size_t now = taken_ + used();
  return is_full() && (now > start_ + kLittle || memory_.held() > ceiling());
}

// Only what is large, as what handles errors is not, nor by what a coroutine's stack grows (32,750 slots of 8 bytes at
// most), on which there would be no room for the error; and only where LuaJIT raises it safely. What makes many
// small blocks comes to a safepoint before long, and so does compiled code; the collector and the compiler have to be
// given what they need.
bool MemoryBudget::refuses(std::size_t bytes) noexcept {
  if (bytes < kLarge || !Safepoint::raises(governor_.main())) {
    return false;
  }
  refused_ = true;
  note_place(vm_.current());
  return true;
}

// The innermost line of the program that the task runs, "app.lua:12"; where it is told of no more, as after a tail
// call, the handler's. Nothing is allocated in Lua, and nothing is raised.
void MemoryBudget::note_place(const Task* task) noexcept {
  char place[kPlaceLength] = "";
  lua_Debug frame;
  for (int level = 0; task != nullptr && lua_getstack(task->coroutine, level, &frame) == 1; ++level) {
    lua_getinfo(task->coroutine, "Sl", &frame);
    if (frame.currentline > 0 && !is_library(frame.source)) {
      std::snprintf(place, sizeof place, "%s:%d", frame.short_src, frame.currentline);
      break;
    }
  }
  if (place[0] == '\0' && task != nullptr && task->exchange != nullptr && task->exchange->view.route >= 0) {
    const auto route = static_cast<std::size_t>(task->exchange->view.route);
    std::snprintf(place, sizeof place, "%s", vm_.routes()[route].place.c_str());
  }
  refusal_place_ = place;
}

// The first memory that a stay takes from the system.
void MemoryBudget::open(std::size_t now) noexcept {
  open_ = true;
  task_ = vm_.current();
  limit_ = limit_of(task_);
  start_ = base_ = now;
  taken_ = 0;
  if (task_ != nullptr) {
    Task::Memory& memory = task_->memory;
    if (memory.serial != task_->view.serial) {
      memory = {task_->view.serial, now, 0};
    }
    base_ = memory.base;
    taken_ = memory.taken;
  }
  weigh_at_ = start_ + (limit_ > taken_ ? limit_ - taken_ : 0);
  pulse.noted.store(true, std::memory_order_relaxed);
}

void MemoryBudget::settle() {
  if (!open_) {
    return;
  }
  open_ = false;
  if (task_ == nullptr || task_->memory.serial != task_->view.serial) {
    return;
  }
  if (task_->limited_anew()) {
    task_->memory.serial = 0;
    return;
  }
  const std::size_t now = taken_ + used();
  task_->memory.taken = now > start_ ? now - start_ : 0;
}

void MemoryBudget::renew(Task& task) {
  task.memory.serial = 0;
  open_ = open_ && task_ != &task;
}

// Over is what has grown by more than its budget in its own stays, garbage not counted, and made the heap grow by as
// much since it began. A collection costs as much as there is to keep: so the next one comes a second later, or when
// the heap has grown by a quarter of the budget, or when the VM is full and not by what is kept. In a VM that is full
// after it, whoever asks for more than a little is over.
bool MemoryBudget::weigh(lua_State* state) {
  if (weighing_) {
    return false;
  }
  if (!open_) {
    open(used());
  }
  const std::size_t due = kept_ + limit_ / 4;
  const bool recent = used() < due && monotonic_ns() - collected_ < kCollectEvery;
  const bool little_garbage = kept_ > limits_.vm_most - limits_.vm_most / 8;
  if (recent && (little_garbage || !is_full())) {
    weigh_at_ = due;
    return full_ = is_too_much();
  }
  Task* const task = task_;
  weighing_ = true;
  collect(state);
  weighing_ = false;
  if (!open_ || task_ != task) {  // a finalizer's stay, which is over
    return false;
  }
  const std::size_t own = taken_ + kept_ > start_ ? taken_ + kept_ - start_ : 0;
  const std::size_t whole = kept_ > base_ ? kept_ - base_ : 0;
  const std::size_t growth = std::min(own, whole);
  if (growth > limit_) {
    before_stop_ = base_;
    full_ = false;
    return true;
  }
  if (full_ = is_too_much(); full_) {
    return true;
  }
  taken_ = growth;
  start_ = kept_;
  weigh_at_ = kept_ + std::max(limit_ - growth, limit_ / 4);
  return false;
}

std::string MemoryBudget::verdict() const {
  if (full_) {
    return "the Lua VM may hold " + mebibytes(limits_.vm_most) + " (limits.vm_memory_most)";
  }
  if (!vm_.attached()) {
    return "the app takes more memory than limits.vm_memory, " + mebibytes(limit_);
  }
  return "over its memory budget of " + mebibytes(limit_);
}

void MemoryBudget::collect(lua_State* state) {
  const int status = lua_cpcall(
      state,
      [](lua_State* inner) {
        lua_gc(inner, LUA_GCCOLLECT, 0);
        return 0;
      },
      nullptr);
  if (status != 0) {
    lua_pop(state, 1);
  }
  collected_ = monotonic_ns();
  kept_ = used();
}

void MemoryBudget::clear_up() {
  if (vm_.attached() && !relief_.pending()) {
    vm_.host().timers().add(relief_, monotonic_ms());
  }
}

// Between two turns: gives back what garbage holds, and asks for another VM where that is not enough.
void MemoryBudget::relieve() {
  const std::int64_t early = collected_ + kCollectEvery - monotonic_ns();
  if (early > 0 && before_stop_ == 0) {
    vm_.host().timers().add(relief_, monotonic_ms() + early / 1'000'000 + 1);
    return;
  }
  {
    const Stay stay(governor_, limits_.cpu);
    collect(governor_.main());
  }
  tell_of_leak();
  if (memory_.held() > limits_.vm_memory) {
    vm_.host().outgrown(memory_.held());
  }
  relieve_at_ = std::max(limits_.vm_memory, memory_.held() + memory_.held() / 4);
}

// After a stop: what the stopped task held should be gone.
void MemoryBudget::tell_of_leak() {
  const std::size_t before = std::exchange(before_stop_, 0);
  if (before != 0 && kept_ > before + limits_.memory / 2) {
    log_event(LogLevel::kWarn, "what a handler over its memory budget has left is still in use: the Lua VM holds " +
                                   mebibytes(kept_) + ", before it held " + mebibytes(before));
  }
}

std::string MemoryBudget::take_refusal() {
  if (!std::exchange(refused_, false)) {
    return "";
  }
  return refusal_place_ + (refusal_place_.empty() ? "" : ": ") + "not enough memory: the Lua VM may hold " +
         mebibytes(limits_.vm_most) + " (limits.vm_memory_most)";
}

}  // namespace perigee::script
