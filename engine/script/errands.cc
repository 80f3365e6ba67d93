#include "script/errands.h"

#include <utility>

#include "base/insist.h"
#include "base/log.h"
#include "script/task.h"
#include "script/vm.h"

namespace perigee::script {

// Owned by the VM of whoever waits: when that lets go of it, or is closed, nobody is woken.
struct Errands::Errand {
  std::optional<std::string> result;
  std::function<void()> left;
};

void Errands::Ticket::deliver(std::string result) const {
  std::shared_ptr<std::string> kept;
  const bool delivered = insist([&] {
    if (kept == nullptr) {
      kept = std::make_shared<std::string>(std::move(result));
    }
    executor_->post([ticket = *this, kept] { ticket.wake(*kept); });
  });
  if (!delivered) {
    log_event(LogLevel::kError, "out of memory: a task is not told what came of its work off the workers");
  }
}

// On the worker's thread again.
void Errands::Ticket::wake(std::string& result) const {
  const std::shared_ptr<Errand> errand = errand_.lock();
  if (errand != nullptr && task_->view.serial == serial_) {
    errand->result = std::move(result);
    task_->vm.make_ready(*task_);
  }
}

Errands::~Errands() {
  while (!errands_.empty()) {
    const auto errand = std::move(errands_.extract(errands_.begin()).mapped());
    if (errand->left) {
      errand->left();
    }
  }
}

Errands::Ticket Errands::begin(Task& task) {
  leave(task);
  auto errand = std::make_shared<Errand>();
  Ticket ticket;
  ticket.errand_ = errand;
  ticket.task_ = &task;
  ticket.serial_ = task.view.serial;
  ticket.executor_ = &task.vm.host().executor();
  errands_[task.view.serial] = std::move(errand);
  return ticket;
}

void Errands::when_left(const Task& task, std::function<void()> left) {
  errands_.at(task.view.serial)->left = std::move(left);
}

std::optional<std::string> Errands::take(const Task& task) {
  const auto found = errands_.find(task.view.serial);
  if (found == errands_.end() || !found->second->result) {
    return std::nullopt;
  }
  return std::move(errands_.extract(found).mapped()->result);
}

void Errands::leave(const Task& task) {
  const auto found = errands_.find(task.view.serial);
  if (found == errands_.end()) {
    return;
  }
  const auto errand = std::move(errands_.extract(found).mapped());
  if (errand->left) {
    errand->left();
  }
}

}  // namespace perigee::script
