#pragma once

#include <cstddef>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "net/peer_address.h"

namespace perigee::net {

/// What a name was found to stand for.
struct NameAnswer {
  std::vector<PeerAddress> addresses;  ///< in the order in which they are to be tried; their port is 0
  std::string error;                   ///< "dns: ...", where there are none
};

/// Names and their addresses, each kept for as long as its answer said (RFC 1035 section 3.2.1); those asked for least
/// recently go first. One thread only.
class NameCache {
 public:
  /// `most` names at once; 0 keeps none.
  explicit NameCache(std::size_t most) : most_(most) {}

  /// Null when it is not there, or no longer true. Valid until the next put().
  [[nodiscard]] const NameAnswer* find(std::string_view name, Milliseconds now);

  /// Keeps an answer until `expires`.
  void put(std::string_view name, NameAnswer answer, Milliseconds expires);

  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  void clear();

 private:
  struct Entry {
    std::string name;
    NameAnswer answer;
    Milliseconds expires;
  };
  using Entries = std::list<Entry>;

  void erase(Entries::iterator entry);

  std::size_t most_;
  Entries entries_;  // the one asked for last stands first
  std::unordered_map<std::string_view, Entries::iterator> by_name_;
};

}  // namespace perigee::net
