#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "script/host.h"

namespace perigee::script {

class Task;
class Vm;

/// A topic's messages on their way to a function: it holds those that no task has taken yet, up to a bound. Over it the
/// oldest are dropped and counted. Lives in its VM; worker's thread only.
class Subscription final : public TopicListener {
 public:
  /// Listens from now on. `bound` is at least 1.
  Subscription(Vm& vm, std::string_view topic, std::size_t bound);
  ~Subscription() override { close(); }
  Subscription(const Subscription&) = delete;
  Subscription& operator=(const Subscription&) = delete;

  void on_message(const state::SharedMessage& message) noexcept override;
  void on_missed() noexcept override;

  /// The next message; null while there is none. Nobody is woken from here on.
  [[nodiscard]] state::SharedMessage take();
  /// How many messages were dropped since this was last asked.
  [[nodiscard]] std::uint64_t take_missed();

  /// Has the task, which is about to wait, woken when a message is there.
  void await(Task& task);

  /// Listens no more, and drops what it holds.
  void close() noexcept;

  [[nodiscard]] const std::string& topic() const { return topic_; }

 private:
  void wake() noexcept;

  Vm& vm_;
  std::string topic_;
  std::size_t bound_;
  std::deque<state::SharedMessage> messages_;
  std::uint64_t missed_ = 0;
  Task* waiter_ = nullptr;
  double waiter_serial_ = 0;
  bool open_ = true;
};

}  // namespace perigee::script
