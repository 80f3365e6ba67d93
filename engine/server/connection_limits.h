#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <unordered_map>

#include "net/peer_address.h"

namespace perigee::server {

/// Counts the process's connections, in all and by address. Any thread.
class ConnectionLimits {
 public:
  enum class Verdict : std::uint8_t { kAdmitted, kTooMany, kTooManyFromAddress };

  /// Counts one more unless a limit is reached. `per_address` 0 means none; Unix sockets have no address.
  [[nodiscard]] Verdict admit(const net::PeerAddress& peer, std::int64_t most, std::int64_t per_address);

  /// Counts an admitted connection by the address that has now become known, unless that has as many as it may.
  [[nodiscard]] Verdict attribute(const net::PeerAddress& peer, std::int64_t per_address);

  /// Takes back an admission, with the address it was counted by.
  void release(const net::PeerAddress& peer);

  [[nodiscard]] std::size_t count() const;

 private:
  // Counts one more of an address; false when it has as many as it may. REQUIRES: mutex_ is held.
  [[nodiscard]] bool count_address(const net::PeerAddress& peer, std::int64_t per_address);

  // An address that has no connection left is kept for its next one, but not more of these than so many.
  static constexpr std::size_t kKept = 1024;

  // Of the two halves of an address, mixed with numbers of this process: nobody outside can choose addresses that
  // collide (the folded product of wyhash).
  struct Hash {
    std::uint64_t first;
    std::uint64_t second;
    Hash();
    std::size_t operator()(const net::PeerAddress& peer) const noexcept;
  };
  struct SameHost {
    bool operator()(const net::PeerAddress& a, const net::PeerAddress& b) const noexcept { return a.same_host(b); }
  };

  mutable std::mutex mutex_;
  std::size_t count_ = 0;                                                          // guarded by mutex_
  std::unordered_map<net::PeerAddress, std::int64_t, Hash, SameHost> by_address_;  // guarded by mutex_
};

}  // namespace perigee::server
