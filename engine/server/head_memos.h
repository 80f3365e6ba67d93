#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "http/head_memo.h"

namespace perigee::server {

/// The memos of a worker's connections, one for each of the connections that can have one: there are kPlaces, and of
/// those that meet in one place the one that makes use of its memo keeps it. No connection sees another's. One thread.
class HeadMemos {
 public:
  static constexpr int kPlaceBits = 8;
  static constexpr std::size_t kPlaces = std::size_t{1} << kPlaceBits;

  /// The connection's memo, perhaps a fresh one; null when it can't have one now.
  [[nodiscard]] http::HeadMemo* of(const void* connection) noexcept {
    Place& place = places_[index_of(connection)];
    return place.owner == connection ? place.memo.get() : take(place, connection);
  }

  /// The connection has ended.
  void forget(const void* connection) noexcept {
    Place& place = places_[index_of(connection)];
    if (place.owner == connection) {
      clear(place);
    }
  }

  /// Forgets all: the limits are others from here on.
  void clear() noexcept {
    for (Place& place : places_) {
      clear(place);
    }
  }

 private:
  struct Place {
    const void* owner = nullptr;
    std::unique_ptr<http::HeadMemo> memo;  // is there as soon as there was an owner
  };

  [[nodiscard]] static std::size_t index_of(const void* connection) noexcept {
    constexpr std::uint64_t kGolden = 0x9e3779b97f4a7c15;
    return static_cast<std::size_t>((reinterpret_cast<std::uintptr_t>(connection) * kGolden) >> (64 - kPlaceBits));
  }

  [[nodiscard]] static http::HeadMemo* take(Place& place, const void* connection) noexcept;

  static void clear(Place& place) noexcept {
    place.owner = nullptr;
    if (place.memo != nullptr) {
      place.memo->forget();
    }
  }

  std::array<Place, kPlaces> places_;
};

}  // namespace perigee::server
