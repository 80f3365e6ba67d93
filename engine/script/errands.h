#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/executor.h"

namespace perigee::script {

class Task;

/// What other threads do for the tasks of a VM, which wait meanwhile. Worker's thread only.
class Errands {
  struct Errand;

 public:
  /// Goes with the work. Any thread, as long as the worker lives.
  class Ticket {
   public:
    /// Whether the task still waits for what comes of it.
    [[nodiscard]] bool wanted() const { return !errand_.expired(); }
    /// Wakes the task, for which take() then has the result. To be called once. Waits while there is no memory for it.
    void deliver(std::string result) const;

   private:
    friend class Errands;
    void wake(std::string& result) const;

    std::weak_ptr<Errand> errand_;
    Task* task_ = nullptr;
    double serial_ = 0;
    Executor* executor_ = nullptr;
  };

  Errands() = default;
  ~Errands();
  Errands(const Errands&) = delete;
  Errands& operator=(const Errands&) = delete;

  /// An errand of this task, which has one at a time; it must wait next, or leave() it.
  [[nodiscard]] Ticket begin(Task& task);

  /// Has `left` called when the task gives up its errand, but not once take() had the result.
  void when_left(const Task& task, std::function<void()> left);

  /// The result; nothing while it is not there. Once.
  [[nodiscard]] std::optional<std::string> take(const Task& task);

  [[nodiscard]] bool any() const { return !errands_.empty(); }

  /// The task waits no longer.
  void leave(const Task& task);

 private:
  std::map<double, std::shared_ptr<Errand>> errands_;  // by the serial of a task
};

}  // namespace perigee::script
