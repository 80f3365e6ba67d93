#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "net/shared_queue.h"
#include "server/channel_client.h"
#include "state/topic_inbox.h"

namespace perigee::server {

/// A worker's subscribed topics, by the number of their subscription.
using ChannelTopics = std::unordered_map<std::uint64_t, std::unique_ptr<ChannelTopic>>;

/// Hands what an inbox held to a worker's subscribers: as few sends as there are clients where all is of one topic, in
/// portions, so that requests are served between them. Messages of one topic that came together are sent together.
/// Worker's thread only.
class Fanout {
 public:
  static constexpr int kPortion = 1024;           ///< clients
  static constexpr std::size_t kRun = 32 * 1024;  ///< bytes that are joined to be sent at once

  /// No entry moves in `topics`, and none goes, while this is busy.
  explicit Fanout(ChannelTopics& topics) : topics_(topics) {}

  [[nodiscard]] bool busy() const { return busy_; }
  /// Takes what is to be handed out. REQUIRES: !busy().
  void begin(std::vector<state::TopicInbox::Delivery> deliveries);
  /// Hands out a portion.
  void advance();
  /// A client has gone.
  void forget(ChannelClient& client);

 private:
  // Messages of one topic, one behind the other.
  struct Run {
    std::uint64_t subscription = 0;
    std::vector<state::SharedMessage> messages;
    std::size_t size = 0;
    net::SharedBytes bytes;
  };

  void collect_runs();
  static void join(Run& run);
  [[nodiscard]] bool send_run(const Run& run, int& left);
  static void send_late(const ChannelTopic::Entry& entry, const Run& run);
  void hand_out(const state::TopicInbox::Delivery& delivery, int& left);
  void flush();
  [[nodiscard]] ChannelTopic* find(std::uint64_t subscription) const;

  ChannelTopics& topics_;
  std::vector<state::TopicInbox::Delivery> deliveries_;
  std::vector<Run> runs_;
  std::vector<ChannelClient*> unflushed_;
  std::size_t run_ = 0;       // being sent
  std::size_t entry_ = 0;     // of its topic, the next
  std::size_t delivery_ = 0;  // being handed to those who are sent to one by one
  bool busy_ = false;
};

}  // namespace perigee::server
