#include "script/task.h"

#include "vm_fixture.h"

using perigee::script::Task;

TEST_CASE("task: its timer makes it ready at the deadline, if it waits") {
  LoadedVm loaded("");
  Task& task = loaded.vm->take_task();
  task.waiting = true;
  const perigee::Milliseconds now = loaded.host.wheel.now();
  task.wake_at(now + 100);
  loaded.host.wheel.advance(now + 99);
  CHECK_FALSE(loaded.vm->has_ready());
  loaded.host.wheel.advance(now + 100);
  CHECK(loaded.vm->take_ready() == std::vector<Task*>{&task});
  loaded.vm->give_task(task);
}

TEST_CASE("task: a timer that is stopped, or whose task was given back, wakes nobody") {
  LoadedVm loaded("");
  Task& stopped = loaded.vm->take_task();
  Task& given = loaded.vm->take_task();
  stopped.waiting = given.waiting = true;
  stopped.wake_at(loaded.host.wheel.now() + 10);
  given.wake_at(loaded.host.wheel.now() + 10);
  stopped.stop_timer();
  loaded.vm->give_task(given);
  loaded.host.wheel.advance(loaded.host.wheel.now() + 1000);
  CHECK_FALSE(loaded.vm->has_ready());
  loaded.vm->give_task(stopped);
}

TEST_CASE("task: one that is woken otherwise loses its timer") {
  LoadedVm loaded("");
  Task& task = loaded.vm->take_task();
  task.waiting = true;
  task.wake_at(loaded.host.wheel.now() + 10);
  loaded.vm->make_ready(task);
  CHECK(loaded.vm->take_ready().size() == 1);
  task.ready = false;
  loaded.host.wheel.advance(loaded.host.wheel.now() + 1000);
  CHECK_FALSE(loaded.vm->has_ready());
  loaded.vm->give_task(task);
}
