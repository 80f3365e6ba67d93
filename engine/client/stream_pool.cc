#include "client/stream_pool.h"

#include <algorithm>
#include <utility>

namespace perigee::client {

// Messages of TLS itself are no reason to drop it.
void StreamPool::Idle::watch() {
  pooled.stream->await_any([this] { pooled.stream->quiet() ? watch() : pool.drop(place); });
}

std::shared_ptr<StreamPool::Shelf> StreamPool::shelf(std::string_view key) {
  if (const auto found = shelves_.find(key); found != shelves_.end()) {
    return found->second;
  }
  if (shelves_.size() >= 2 * kMost) {
    std::erase_if(shelves_, [](const auto& each) { return each.second->idle.empty() && each.second.use_count() == 1; });
  }
  return shelves_.emplace(key, std::make_shared<Shelf>(key)).first->second;
}

PooledStream StreamPool::take(std::string_view key) {
  const auto found = shelves_.find(key);
  if (found == shelves_.end()) {
    return {};
  }
  const std::shared_ptr<Shelf> kept = found->second;
  return take(*kept);
}

// Whether the loop has looked for something on it since it was given, and found nothing. What TLS holds it does not
// see.
bool StreamPool::looked_at(const Idle& idle) {
  net::Stream& stream = *idle.pooled.stream;
  return stream.tls() == nullptr && idle.turn != stream.loop().turn() && !stream.stirs();
}

// Takes one off the shelf. Those that were given in this turn are the last ones, and would cost a look of their own.
StreamPool::List::iterator StreamPool::pick(Shelf& shelf, Look look) {
  auto chosen = std::prev(shelf.idle.end());
  if (look == Look::kTurn && shelf.turn == (*chosen)->pooled.stream->loop().turn()) {
    const std::size_t fresh = std::min(shelf.fresh, shelf.idle.size());
    chosen -= static_cast<std::ptrdiff_t>(fresh < shelf.idle.size() ? fresh : 0);
  }
  shelf.fresh -= shelf.fresh != 0 && chosen + 1 == shelf.idle.end() ? 1 : 0;
  const List::iterator place = *chosen;
  shelf.idle.erase(chosen);
  return place;
}

PooledStream StreamPool::take(Shelf& shelf, Look look) {
  while (!shelf.idle.empty()) {
    const List::iterator place = pick(shelf, look);
    const bool known = look == Look::kTurn && looked_at(*place);
    PooledStream taken = std::move(place->pooled);
    retire(place);
    taken.stream->stop_awaiting();
    if (known || taken.stream->quiet()) {  // nothing has come in this very turn
      ++taken.uses;
      return taken;
    }
  }
  return {};
}

void StreamPool::give(std::string_view key, PooledStream stream, Milliseconds until, std::size_t most) {
  give(shelf(key), std::move(stream), until, most);
}

void StreamPool::give(const std::shared_ptr<Shelf>& shelf, PooledStream stream, Milliseconds until, std::size_t most) {
  net::EventLoop& loop = stream.stream->loop();
  if (spare_.empty()) {
    spare_.emplace_front(*this);
  }
  shelf->idle.push_back(spare_.begin());
  idle_.splice(idle_.begin(), spare_, spare_.begin());
  const List::iterator place = idle_.begin();
  place->place = place;
  place->shelf = shelf;
  place->pooled = std::move(stream);
  place->turn = loop.turn();
  shelf->fresh = shelf->turn == place->turn ? shelf->fresh + 1 : 1;
  shelf->turn = place->turn;
  loop.timers().add(place->timer, until);
  place->watch();
  if (shelf->idle.size() > most) {
    drop(shelf->idle.front());
  } else if (idle_.size() > kMost) {
    drop(std::prev(idle_.end()));
  }
}

std::size_t StreamPool::size(std::string_view key) const {
  const auto found = shelves_.find(key);
  return found == shelves_.end() ? 0 : found->second->idle.size();
}

void StreamPool::drop(List::iterator place) {
  const PooledStream dropped = std::move(place->pooled);
  std::erase(place->shelf->idle, place);
  retire(place);
}

// A place that holds no stream and stands on no shelf any more.
void StreamPool::retire(List::iterator place) {
  const std::shared_ptr<Shelf> shelf = std::move(place->shelf);
  place->timer.cancel();
  if (shelf->idle.empty() && shelf.use_count() == 2) {  // nobody's but the pool's
    shelves_.erase(shelf->key);
  }
  if (spare_.size() < kSpare) {
    spare_.splice(spare_.begin(), idle_, place);
  } else {
    idle_.erase(place);
  }
}

void StreamPool::clear() {
  for (const auto& [key, shelf] : shelves_) {
    shelf->idle.clear();
  }
  idle_.clear();
  std::erase_if(shelves_, [](const auto& each) { return each.second.use_count() == 1; });
}

}  // namespace perigee::client
