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
  if (form_ != nullptr) {
    return feed_form(bytes);
  }
  if (body.size() + bytes.size() > kLargestWhole) {
    fail(413, "too_large", "the body is larger than memory holds");
    return false;
  }
  body.append(bytes);
  return true;
}

bool BodyIntake::feed_form(std::string_view bytes) {
  if (form_->feed(bytes)) {
    return true;
  }
  fail(form_->status(), form_->status() == 413 ? "too_large" : "refused", form_->detail());
  return false;
}

void BodyIntake::end() {
  if (form_ != nullptr && !dropped_ && !form_->finish()) {
    fail(form_->status(), "refused", form_->detail());
  }
  if (state_ == State::kArriving) {
    state_ = State::kWhole;
  }
}

void BodyIntake::begin_form(std::string& body, std::string_view content_type, const files::UploadSettings& settings) {
  form_ = std::make_unique<files::UploadForm>(content_type, settings);
  const bool good = feed_form(body);
  if (arriving()) {
    body.clear();
  } else if (good && state_ == State::kWhole) {
    end();
  }
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
