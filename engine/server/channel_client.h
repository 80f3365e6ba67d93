#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "net/connection.h"
#include "script/channel_answer.h"
#include "script/host.h"
#include "state/session_store.h"

namespace perigee::server {

struct ChannelTopic;

/// Has something run on a worker's thread when a session ends, as long as this lives.
class SessionWatch {
 public:
  SessionWatch(state::SessionStore& store, state::SessionRef session, Executor& executor, std::function<void()> ended)
      : store_(store), session_(std::move(session)), watch_(store.watch(session_, executor, std::move(ended))) {}
  ~SessionWatch() { store_.unwatch(session_, watch_, monotonic_coarse_ms()); }
  SessionWatch(const SessionWatch&) = delete;
  SessionWatch& operator=(const SessionWatch&) = delete;

 private:
  state::SessionStore& store_;
  state::SessionRef session_;
  std::uint64_t watch_;
};

/// A connection that is sent what is published on its topics, and nothing else any more.
struct ChannelClient {
  /// Where it stands in a topic's list.
  struct Place {
    ChannelTopic* topic = nullptr;
    std::size_t index = 0;
  };

  net::Connection* connection = nullptr;
  std::uint64_t joined = 0;  ///< messages up to this stamp are not for it
  std::vector<Place> places;
  std::unique_ptr<script::ChannelAnswer::Member> member;  ///< null for none
  std::unique_ptr<SessionWatch> session;                  ///< null where its request had none
  std::uint64_t number = 0;                               ///< counts up with those who come
  std::size_t index = 0;                                  ///< among the worker's clients
  bool chunked = true;
  bool plain = false;   ///< it has one topic and is sent chunks: what the topic's clients get is the same bytes
  bool queued = false;  ///< something waits in its connection to be flushed
};

/// One topic's subscribers on one worker.
struct ChannelTopic {
  struct Entry {
    ChannelClient* client = nullptr;  ///< null where one has gone while something was being sent
    net::Connection* connection = nullptr;
    std::uint64_t joined = 0;
  };
  struct Listener {
    script::TopicListener* listener = nullptr;  ///< null likewise
    std::uint64_t joined = 0;
  };

  std::string name;
  std::uint64_t subscription = 0;
  std::vector<Entry> plain;   ///< of ChannelClient::plain
  std::vector<Entry> others;  ///< sent to one by one
  std::vector<Listener> listeners;
  std::size_t live = 0;  ///< entries and listeners that are not null
  bool untidy = false;   ///< something has left it, which is seen to later

  void add(ChannelClient& client);
  void add(script::TopicListener& listener, std::uint64_t joined);
  /// Takes a client's entry out. What stands behind it stays where it is until compact().
  void remove(const ChannelClient& client, const ChannelClient::Place& place);
  void remove(const script::TopicListener& listener);
  /// Whether so many have gone that closing the gaps pays.
  [[nodiscard]] bool sparse() const { return plain.size() + others.size() + listeners.size() > 2 * live; }
  /// Closes the gaps.
  void compact();

 private:
  [[nodiscard]] std::vector<Entry>& list_of(const ChannelClient& client) { return client.plain ? plain : others; }
  void compact(std::vector<Entry>& list);
};

}  // namespace perigee::server
