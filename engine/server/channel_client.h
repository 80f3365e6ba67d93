#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "net/connection.h"
#include "script/channel_answer.h"
#include "script/host.h"

namespace perigee::server {

struct ChannelTopic;

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
