#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <unordered_set>
#include <vector>

#include "base/executor.h"
#include "state/topic_message.h"

namespace perigee::state {

/// What was published for one worker and it has not taken yet: one entry a message, however many subscribers it has
/// there. Bounded: a worker that takes nothing for too long is told which topics it has missed something of. Shared by
/// its worker and the topics it listens to.
class TopicInbox {
 public:
  struct Delivery {
    std::uint64_t subscription = 0;  ///< as the worker called it: Topics::Wanted
    SharedMessage message;
  };
  struct Batch {
    std::vector<Delivery> deliveries;
    std::unordered_set<std::uint64_t> missed;  ///< subscriptions with messages that are not among these
  };
  static constexpr std::size_t kMost = 65'536;                 ///< messages
  static constexpr std::size_t kMostBytes = 64 * 1024 * 1024;  ///< of messages

  /// `on_news` is called on the executor's thread when there is something to take.
  TopicInbox(Executor& executor, std::function<void()> on_news) : executor_(executor), on_news_(std::move(on_news)) {}
  TopicInbox(const TopicInbox&) = delete;
  TopicInbox& operator=(const TopicInbox&) = delete;

  /// Adds a message; true when wake() must follow. Any thread.
  [[nodiscard]] bool push(std::uint64_t subscription, const SharedMessage& message);
  /// Tells the worker, unless it is told already. Any thread.
  void wake();

  /// Takes all that is there. The worker's thread.
  [[nodiscard]] Batch take();

  /// Messages that it had no room for so far. Any thread.
  [[nodiscard]] std::uint64_t lost();

  /// Nobody will take anything any more, and the executor goes.
  void close();

 private:
  Executor& executor_;
  std::function<void()> on_news_;
  std::mutex mutex_;
  Batch waiting_;           // guarded by mutex_
  std::size_t bytes_ = 0;   // likewise
  std::uint64_t lost_ = 0;  // likewise
  bool awake_ = false;      // likewise: its worker is told already
  bool closed_ = false;     // likewise
};

}  // namespace perigee::state
