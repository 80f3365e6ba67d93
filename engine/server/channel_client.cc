#include "server/channel_client.h"

#include <algorithm>

namespace perigee::server {

void ChannelTopic::add(ChannelClient& client) {
  std::vector<Entry>& list = list_of(client);
  list.push_back({&client, client.connection, client.joined});
  client.places.push_back({this, list.size() - 1});
  ++live;
}

void ChannelTopic::add(script::TopicListener& listener, std::uint64_t joined) {
  listeners.push_back({&listener, joined});
  ++live;
}

void ChannelTopic::remove(const ChannelClient& client, const ChannelClient::Place& place) {
  list_of(client)[place.index] = {};
  --live;
}

void ChannelTopic::remove(const script::TopicListener& listener) {
  for (Listener& entry : listeners) {
    if (entry.listener == &listener) {
      entry.listener = nullptr;
      --live;
    }
  }
}

void ChannelTopic::compact() {
  compact(plain);
  compact(others);
  std::erase_if(listeners, [](const Listener& entry) { return entry.listener == nullptr; });
}

void ChannelTopic::compact(std::vector<Entry>& list) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (list[i].client == nullptr) {
      continue;
    }
    if (kept != i) {
      list[kept] = list[i];
      for (ChannelClient::Place& place : list[kept].client->places) {
        place.index = place.topic == this ? kept : place.index;
      }
    }
    ++kept;
  }
  list.resize(kept);
}

}  // namespace perigee::server
