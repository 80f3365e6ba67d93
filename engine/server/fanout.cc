#include "server/fanout.h"

#include <string>
#include <utility>

#include "http/response.h"

namespace perigee::server {

using Delivery = state::TopicInbox::Delivery;

ChannelTopic* Fanout::find(std::uint64_t subscription) const {
  const auto found = topics_.find(subscription);
  return found != topics_.end() ? found->second.get() : nullptr;
}

void Fanout::begin(std::vector<Delivery> deliveries) {
  deliveries_ = std::move(deliveries);
  runs_.clear();
  run_ = entry_ = delivery_ = 0;
  collect_runs();
  busy_ = true;
}

// Joins what came of one topic, up to kRun.
void Fanout::collect_runs() {
  std::unordered_map<std::uint64_t, std::size_t> open;
  for (const Delivery& delivery : deliveries_) {
    const ChannelTopic* topic = find(delivery.subscription);
    if (topic == nullptr || topic->plain.empty()) {
      continue;
    }
    const auto [at, added] = open.try_emplace(delivery.subscription, runs_.size());
    if (added || runs_[at->second].size >= kRun) {
      at->second = runs_.size();
      runs_.push_back({delivery.subscription, {}, 0, {}});
    }
    Run& run = runs_[at->second];
    run.messages.push_back(delivery.message);
    run.size += delivery.message->bare().size();
  }
  for (Run& run : runs_) {
    join(run);
  }
}

void Fanout::join(Run& run) {
  if (run.messages.size() == 1) {
    run.bytes = {run.messages.front(), run.messages.front()->in_chunk()};
    return;
  }
  std::string bare;
  bare.reserve(run.size);
  for (const state::SharedMessage& message : run.messages) {
    bare.append(message->bare());
  }
  auto chunk = std::make_shared<std::string>();
  (void)http::append_chunk(*chunk, bare);
  run.bytes = {chunk, *chunk};
}

void Fanout::advance() {
  int left = kPortion;
  while (run_ < runs_.size()) {
    if (!send_run(runs_[run_], left)) {
      return;
    }
    const bool large = runs_[run_].size >= kRun;
    ++run_;
    entry_ = 0;
    if (large) {
      return;  // sockets are to have a chance to take it
    }
  }
  while (delivery_ < deliveries_.size() && left > 0) {
    hand_out(deliveries_[delivery_++], left);
  }
  flush();
  if (delivery_ == deliveries_.size()) {
    deliveries_.clear();
    runs_.clear();
    busy_ = false;
  }
}

// Sends one topic's messages to the clients that all are sent the same. True when they all were.
bool Fanout::send_run(const Run& run, int& left) {
  ChannelTopic* topic = find(run.subscription);
  if (topic == nullptr) {
    return true;
  }
  const std::uint64_t first = run.messages.front()->stamp;
  const std::uint64_t last = run.messages.back()->stamp;
  for (; entry_ < topic->plain.size() && left > 0; ++entry_) {
    const ChannelTopic::Entry entry = topic->plain[entry_];
    if (entry.client == nullptr || entry.joined >= last) {
      continue;
    }
    --left;
    if (entry.joined < first) {
      entry.connection->send_shared(run.bytes);
    } else {
      send_late(entry, run);
    }
  }
  return entry_ == topic->plain.size();
}

// Some of the messages came before the client did.
void Fanout::send_late(const ChannelTopic::Entry& entry, const Run& run) {
  for (const state::SharedMessage& message : run.messages) {
    if (message->stamp > entry.joined && !entry.connection->send_shared({message, message->in_chunk()})) {
      return;
    }
  }
}

void Fanout::hand_out(const Delivery& delivery, int& left) {
  ChannelTopic* topic = find(delivery.subscription);
  if (topic == nullptr) {
    return;
  }
  const state::TopicMessage& message = *delivery.message;
  --left;
  for (std::size_t i = 0; i < topic->listeners.size(); ++i) {
    const ChannelTopic::Listener entry = topic->listeners[i];
    if (entry.listener != nullptr && entry.joined < message.stamp) {
      entry.listener->on_message(delivery.message);
    }
  }
  for (std::size_t i = 0; i < topic->others.size(); ++i) {
    const ChannelTopic::Entry entry = topic->others[i];
    if (entry.client == nullptr || entry.joined >= message.stamp) {
      continue;
    }
    --left;
    const net::SharedBytes bytes{delivery.message, entry.client->chunked ? message.in_chunk() : message.bare()};
    if (entry.connection->queue_shared(bytes) && !std::exchange(entry.client->queued, true)) {
      unflushed_.push_back(entry.client);
    }
  }
}

void Fanout::flush() {
  for (ChannelClient* client : std::exchange(unflushed_, {})) {
    client->queued = false;
    client->connection->flush();
  }
}

void Fanout::forget(ChannelClient& client) {
  if (client.queued) {
    std::erase(unflushed_, &client);
  }
}

}  // namespace perigee::server
