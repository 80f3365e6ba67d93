#include "script/task.h"

#include "client/http_call.h"
#include "script/vm.h"

namespace perigee::script {

Task::Task(Vm& owner) : vm(owner), timer_(*this) {
  view.owner = this;
}

Task::~Task() = default;

void Task::wake_at(Milliseconds deadline) {
  vm.host().timers().add(timer_, deadline);
}

void Task::on_timer() {
  vm.make_ready(*this);
}

}  // namespace perigee::script
