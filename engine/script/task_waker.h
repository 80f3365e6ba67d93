#pragma once

#include <functional>

#include "script/task.h"
#include "script/vm.h"

namespace perigee::script {

/// Wakes the task, unless it has become another meanwhile. Called on the worker's thread while the VM lives.
[[nodiscard]] inline std::function<void()> waker_of(Task& task) {
  return [&task, serial = task.view.serial] {
    if (task.view.serial == serial) {
      task.vm.make_ready(task);
    }
  };
}

}  // namespace perigee::script
