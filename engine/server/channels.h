#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/timer_wheel.h"
#include "net/connection.h"
#include "net/event_loop.h"
#include "script/channel_answer.h"
#include "server/channel_client.h"
#include "server/fanout.h"
#include "state/topics.h"

namespace perigee::server {

/// A worker's subscribers: connections that app:channel answered, and Lua functions. A connection that is admitted
/// belongs to no version of the app any more, and takes as much memory as its entry here. Worker's thread only.
class Channels final : public net::ConnectionHandler {
 public:
  struct Settings {
    Milliseconds heartbeat = 15'000;
    std::size_t watermark = 1024 * 1024;  ///< bytes that may wait for a client
  };

  /// `owner` is told of closed connections, as the handler that they had before.
  Channels(state::Topics& topics, net::EventLoop& loop, net::ConnectionHandler& owner);
  ~Channels() override;

  void apply(const Settings& settings);

  /// A connection that is to be a subscriber.
  struct Admission {
    net::Connection* connection = nullptr;
    std::unique_ptr<script::ChannelAnswer> answer;
    std::optional<std::string> last_id;  ///< what it had last
    bool chunked = true;
    state::SessionRef session;                ///< its request's, if it had one: the stream ends with it
    state::SessionStore* sessions = nullptr;  ///< whose that is
  };

  /// Makes a connection, whose head is sent, a subscriber at the end of the turn.
  void admit(Admission admission);

  /// Has the listener told of the topic's messages.
  void listen(script::TopicListener& listener, std::string_view topic);
  void stop_listening(script::TopicListener& listener, std::string_view topic) noexcept;

  /// A turn's work. True when there is more to do at once.
  bool run() { return (news_ || fanout_.busy() || !admitted_.empty()) && work(); }

  /// Ends every stream, and each that is still to begin: the server stops.
  void end_all();

  [[nodiscard]] std::size_t clients() const { return clients_.size(); }
  /// Messages that came faster than they could be taken.
  [[nodiscard]] std::uint64_t lost() const { return inbox_->lost(); }

  // --- net::ConnectionHandler, of admitted connections ---
  void on_data(net::Connection& connection) override;
  void on_half_close(net::Connection& connection) override;
  void on_drained(net::Connection&) override {}
  void on_file_sent(net::Connection&, bool) override {}
  void on_deadline(net::Connection&) override {}
  void on_closed(net::Connection& connection) override;

 private:
  static constexpr std::size_t kTicks = 16;  ///< of a heartbeat: each looks after its part of the clients

  [[nodiscard]] bool work();
  void subscribe(Admission& admission);
  void begin(ChannelClient& client, const state::Topics::Joined& joined);
  void join(const ChannelClient& client);
  void leave(const ChannelClient& client);
  void remove(ChannelClient& client);
  void end(ChannelClient& client);
  void end_numbered(std::uint64_t number);
  void drop_missed(std::uint64_t subscription);
  [[nodiscard]] ChannelTopic& open(std::string_view name);
  void close_if_idle(ChannelTopic& topic);
  void tidy();
  void beat();

  state::Topics& topics_;
  net::EventLoop& loop_;
  net::ConnectionHandler& owner_;
  Settings settings_;
  std::shared_ptr<state::TopicInbox> inbox_;
  ChannelTopics open_;
  std::unordered_map<std::string_view, ChannelTopic*> by_name_;
  Fanout fanout_;
  std::vector<ChannelTopic*> untidy_;  // something left them while the fan-out was busy
  std::vector<std::unique_ptr<ChannelClient>> clients_;
  std::vector<Admission> admitted_;
  TimerOf<Channels, &Channels::beat> heartbeat_;
  std::size_t beaten_ = 0;  // of clients_, the next to get a heartbeat
  std::uint64_t last_subscription_ = 0;
  std::uint64_t last_client_ = 0;
  bool news_ = false;
  bool ended_ = false;
};

}  // namespace perigee::server
