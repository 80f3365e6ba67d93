#include "client/stream_pool.h"

#include <algorithm>
#include <utility>

namespace perigee::client {

StreamPool::Idle::Idle(StreamPool& owner, std::string_view name, PooledStream kept)
    : pool(owner), key(name), pooled(std::move(kept)), timer(*this) {}

// Messages of TLS itself are no reason to drop it.
void StreamPool::Idle::watch() {
  pooled.stream->await_any([this] { pooled.stream->quiet() ? watch() : pool.drop(place); });
}

PooledStream StreamPool::take(std::string_view key) {
  const auto found = by_key_.find(std::string(key));
  if (found == by_key_.end()) {
    return {};
  }
  const List::iterator place = found->second.back();
  PooledStream taken = std::move(place->pooled);
  forget(place);
  taken.stream->stop_awaiting();
  if (!taken.stream->quiet()) {  // something has come in this very turn
    return take(key);
  }
  ++taken.uses;
  return taken;
}

void StreamPool::give(std::string_view key, PooledStream stream, Milliseconds idle, std::size_t most) {
  net::EventLoop& loop = stream.stream->loop();
  idle_.emplace_front(*this, key, std::move(stream));
  const List::iterator place = idle_.begin();
  place->place = place;
  auto& peers = by_key_[place->key];
  peers.push_back(place);
  loop.timers().add(place->timer, monotonic_ms() + idle);
  place->watch();
  if (peers.size() > most) {
    drop(peers.front());
  } else if (idle_.size() > kMost) {
    drop(std::prev(idle_.end()));
  }
}

std::size_t StreamPool::size(std::string_view key) const {
  const auto found = by_key_.find(std::string(key));
  return found == by_key_.end() ? 0 : found->second.size();
}

void StreamPool::drop(List::iterator place) {
  const PooledStream dropped = std::move(place->pooled);
  forget(place);
}

void StreamPool::forget(List::iterator place) {
  const auto found = by_key_.find(place->key);
  std::erase(found->second, place);
  if (found->second.empty()) {
    by_key_.erase(found);
  }
  idle_.erase(place);
}

void StreamPool::clear() {
  by_key_.clear();
  idle_.clear();
}

}  // namespace perigee::client
