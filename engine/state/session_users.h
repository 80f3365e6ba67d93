#pragma once

#include <array>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "state/linear_buckets.h"
#include "state/session_store.h"

namespace perigee::state {

/// A session's place among those of its user.
struct UserLink : BucketLink<UserLink> {
  std::string user;  ///< "": nobody's
  Session* session = nullptr;
};

/// Which sessions are whose, in 64 parts with a lock each. Any thread; the caller sees to it that one link is changed
/// by one thread at a time.
class SessionUsers {
 public:
  /// Makes the session `user`'s, or nobody's.
  void move(UserLink& link, std::string user) noexcept;

  /// REQUIRES: what is linked is held by somebody.
  [[nodiscard]] std::vector<SessionRef> of(std::string_view user);

 private:
  static constexpr std::size_t kParts = 64;

  struct alignas(64) Part {
    std::mutex mutex;
    LinearBuckets<UserLink> links;
  };

  // The buckets go by the low bits.
  [[nodiscard]] Part& part_of(std::uint64_t hash) { return parts_[hash >> 58]; }

  std::array<Part, kParts> parts_;
};

}  // namespace perigee::state
