#include "script/subscription.h"

#include <new>
#include <utility>

#include "script/task.h"
#include "script/vm.h"

namespace perigee::script {

Subscription::Subscription(Vm& vm, std::string_view topic, std::size_t bound) : vm_(vm), topic_(topic), bound_(bound) {
  vm.host().listen(*this, topic_);
}

void Subscription::on_message(const state::SharedMessage& message) noexcept {
  try {
    messages_.push_back(message);
    if (messages_.size() > bound_) {
      messages_.pop_front();
      ++missed_;
    }
  } catch (const std::bad_alloc&) {
    ++missed_;
  }
  wake();
}

// How many they were, nobody knows.
void Subscription::on_missed() noexcept {
  ++missed_;
}

void Subscription::wake() noexcept {
  Task* task = std::exchange(waiter_, nullptr);
  if (task == nullptr || task->view.serial != waiter_serial_) {
    return;
  }
  try {
    vm_.make_ready(*task);
  } catch (const std::bad_alloc&) {
    waiter_ = task;  // the next message tries again
    task->ready = false;
  }
}

state::SharedMessage Subscription::take() {
  waiter_ = nullptr;
  if (messages_.empty()) {
    return nullptr;
  }
  state::SharedMessage message = std::move(messages_.front());
  messages_.pop_front();
  return message;
}

std::uint64_t Subscription::take_missed() {
  return std::exchange(missed_, 0);
}

void Subscription::await(Task& task) {
  waiter_ = &task;
  waiter_serial_ = task.view.serial;
}

void Subscription::close() noexcept {
  if (std::exchange(open_, false)) {
    vm_.host().stop_listening(*this, topic_);
    messages_.clear();
    waiter_ = nullptr;
  }
}

}  // namespace perigee::script
