#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/timer_wheel.h"
#include "script/lua_allocator.h"
#include "script/vm_limits.h"

struct lua_State;

namespace perigee::script {

class Governor;
class Task;
class Vm;

/// Holds a VM to its memory. What a task makes the heap grow by is charged to it, garbage included, where memory is
/// taken from the system; over its budget it is weighed at the next safepoint: all garbage is collected, and a task
/// that is over its budget still is stopped. Nothing is refused for that, as LuaJIT does not survive it everywhere;
/// only above the VM's last limit, and only where it does; whatever asks for more than a little there is stopped at the
/// next safepoint, whether it is over its own budget or not. A VM that holds too much when its garbage has been
/// collected asks its host to be replaced. All figures are estimates: what was freed for others and is used again is
/// charged to nobody until more is needed. The VM's thread only.
class MemoryBudget final : public LuaAllocator::Guard {
 public:
  MemoryBudget(Governor& governor, Vm& vm, LuaAllocator& memory, const VmLimits& limits);
  ~MemoryBudget();
  MemoryBudget(const MemoryBudget&) = delete;
  MemoryBudget& operator=(const MemoryBudget&) = delete;

  [[nodiscard]] bool allows(std::size_t bytes) noexcept override;

  /// At a safepoint: collects garbage when that is due. Whether what runs has to be stopped.
  [[nodiscard]] bool weigh(lua_State* state);
  /// Why, as the end of a sentence.
  [[nodiscard]] std::string verdict() const;

  /// A stay in Lua has ended in which something was charged.
  void settle();
  /// The task has its budget anew.
  void renew(Task& task);
  /// A task was stopped: what it held is collected as soon as nothing runs.
  void clear_up();

  /// Whether memory was refused since this was last asked: where and why; "" otherwise.
  [[nodiscard]] std::string take_refusal();

 private:
  [[nodiscard]] std::size_t used() const;
  [[nodiscard]] std::size_t limit_of(const Task* task) const;
  [[nodiscard]] bool refuses(std::size_t bytes) noexcept;
  [[nodiscard]] std::size_t ceiling() const;
  [[nodiscard]] bool is_full() const;
  [[nodiscard]] bool is_too_much() const;
  void note_place(const Task* task) noexcept;
  void open(std::size_t now) noexcept;
  void collect(lua_State* state);
  void relieve();
  void tell_of_leak();

  Governor& governor_;
  Vm& vm_;
  LuaAllocator& memory_;
  const VmLimits limits_;

  // The stay that lasts, from the first time on that it took memory from the system.
  bool open_ = false;
  bool weighing_ = false;
  bool full_ = false;         // the VM was, when something was weighed last
  Task* task_ = nullptr;      // whose it is
  std::size_t limit_ = 0;     // of the task
  std::size_t base_ = 0;      // bytes that were used when the task began
  std::size_t taken_ = 0;     // by the task before
  std::size_t start_ = 0;     // bytes that were used then
  std::size_t weigh_at_ = 0;  // bytes

  std::int64_t collected_ = 0;   // when all garbage was, last (monotonic_ns)
  std::size_t kept_ = 0;         // bytes that were none
  std::size_t relieve_at_;       // bytes held
  std::size_t before_stop_ = 0;  // bytes that were used when the task began that was stopped; 0: none was
  std::string refusal_place_;    // where memory was refused; reserved, as it is written where none may be taken
  bool refused_ = false;
  TimerOf<MemoryBudget, &MemoryBudget::relieve> relief_;
};

}  // namespace perigee::script
