#include "state/topic_inbox.h"

#include <utility>

namespace perigee::state {

bool TopicInbox::push(std::uint64_t subscription, const SharedMessage& message) {
  const std::lock_guard lock(mutex_);
  if (closed_) {
    return false;
  }
  if (waiting_.deliveries.size() >= kMost || bytes_ >= kMostBytes) {
    waiting_.missed.insert(subscription);
    ++lost_;
  } else {
    waiting_.deliveries.push_back({subscription, message});
    bytes_ += message->weight();
  }
  return !awake_;
}

void TopicInbox::wake() {
  const std::lock_guard lock(mutex_);
  if (!awake_ && !closed_) {
    executor_.post(on_news_);
    awake_ = true;
  }
}

void TopicInbox::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  waiting_ = {};
}

TopicInbox::Batch TopicInbox::take() {
  const std::lock_guard lock(mutex_);
  bytes_ = 0;
  awake_ = false;
  return std::exchange(waiting_, {});
}

std::uint64_t TopicInbox::lost() {
  const std::lock_guard lock(mutex_);
  return lost_;
}

}  // namespace perigee::state
