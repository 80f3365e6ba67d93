#include "script/fetches.h"

#include <utility>

#include "script/task.h"
#include "script/vm.h"

namespace perigee::script {

state::Flights::Member Fetches::member(const Task& task) const {
  return {this, task.view.serial};
}

Fetches::Role Fetches::join(Task& task, std::string_view name) {
  const double serial = task.view.serial;
  // What was posted may outlive the VM, but runs on its thread.
  auto wake = [this, life = std::weak_ptr<bool>(life_), &task, serial](const state::Flights::Shared& result) {
    if (!life.expired() && task.view.serial == serial) {
      results_[serial] = result;
      task.vm.make_ready(task);
    }
  };
  return flights_.join(name, {member(task), &task.vm.host().executor(), std::move(wake)});
}

void Fetches::land(const Task& task, std::string_view name, const state::Flights::Result& result) {
  flights_.land(name, member(task), result);
}

state::Flights::Shared Fetches::take_result(const Task& task) {
  const auto found = results_.find(task.view.serial);
  return found != results_.end() ? std::move(results_.extract(found).mapped()) : nullptr;
}

void Fetches::leave(const Task& task) {
  flights_.leave(member(task));
  results_.erase(task.view.serial);
}

}  // namespace perigee::script
