#include "state/flights.h"

#include <new>
#include <utility>

namespace perigee::state {

Flights::Role Flights::join(std::string_view name, Waiter waiter) {
  const std::lock_guard lock(mutex_);
  const auto found = flights_.find(name);
  if (found == flights_.end()) {
    flights_.emplace(name, Flight{waiter.member, {}});
    size_.store(flights_.size(), std::memory_order_release);
    return Role::kComputes;
  }
  if (found->second.computing == waiter.member) {
    return Role::kComputesAlready;
  }
  found->second.waiting.push_back(std::move(waiter));
  return Role::kWaits;
}

// With the lock held, so that nobody who has left is told.
void Flights::tell(const Flight& flight, const Shared& result) {
  for (const Waiter& waiter : flight.waiting) {
    try {
      waiter.executor->post([wake = waiter.wake, result] { wake(result); });
    } catch (const std::bad_alloc&) {
      continue;  // its time limit ends its wait
    }
  }
}

void Flights::land(std::string_view name, const Member& member, const Result& result) {
  const auto shared = std::make_shared<const Result>(result);
  const std::lock_guard lock(mutex_);
  const auto found = flights_.find(name);
  if (found == flights_.end() || found->second.computing != member) {
    return;
  }
  const auto landed = flights_.extract(found);
  size_.store(flights_.size(), std::memory_order_release);
  tell(landed.mapped(), shared);
}

template <typename Leaves>
void Flights::leave_where(const Leaves& leaves) {
  static const Shared abandoned = std::make_shared<const Result>();
  if (size() == 0) {
    return;
  }
  const std::lock_guard lock(mutex_);
  for (auto at = flights_.begin(); at != flights_.end();) {
    Flight& flight = at->second;
    std::erase_if(flight.waiting, [&](const Waiter& waiter) { return leaves(waiter.member); });
    if (leaves(flight.computing)) {
      tell(flight, abandoned);
      at = flights_.erase(at);
    } else {
      ++at;
    }
  }
  size_.store(flights_.size(), std::memory_order_release);
}

void Flights::leave(const Member& member) {
  leave_where([&](const Member& other) { return other == member; });
}

void Flights::leave(const void* group) {
  leave_where([group](const Member& other) { return other.group == group; });
}

}  // namespace perigee::state
