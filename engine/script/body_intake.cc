#include "script/body_intake.h"

#include <utility>

#include "script/task.h"
#include "script/vm.h"

namespace perigee::script {

void BodyIntake::fail(int status, std::string_view word, std::string_view detail) {
  if (state_ != State::kFailed) {
    state_ = State::kFailed;
    failure_ = {status, word, std::string(detail)};
  }
}

bool BodyIntake::keep(std::string& body, std::string_view bytes) {
  if (dropped_) {
    return true;
  }
  if (body.size() + bytes.size() > kLargestWhole) {
    fail(413, "too_large", "the body is larger than memory holds");
    return false;
  }
  body.append(bytes);
  return true;
}

void BodyIntake::discard(std::string& body) {
  dropped_ = true;
  read_ = 0;
  body.clear();
}

void BodyIntake::advance(std::string& body, std::size_t size) {
  read_ += size;
  if (read_ == body.size()) {
    body.clear();
    read_ = 0;
  }
}

void BodyIntake::await(Task& waiter, bool whole) {
  waiters_.push_back({&waiter, waiter.view.serial, whole});
}

// Who has gone on to something else in the meantime is left alone.
void BodyIntake::wake(const Waiter& waiter) {
  if (waiter.task->view.serial == waiter.serial && waiter.task->view.wants_body != 0) {
    waiter.task->vm.make_ready(*waiter.task);
  }
}

void BodyIntake::wake(const std::string& body) {
  if (!arriving()) {
    wake_all();
  } else if (!unread(body).empty()) {
    std::erase_if(waiters_, [](const Waiter& waiter) {
      if (!waiter.whole) {
        wake(waiter);
      }
      return !waiter.whole;
    });
  }
}

void BodyIntake::wake_all() {
  for (const Waiter& waiter : std::exchange(waiters_, {})) {
    wake(waiter);
  }
}

}  // namespace perigee::script
