#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace perigee::client {

/// What perigee.http did with one host. Counts up, but for `open` and `busy`.
struct HostStats {
  std::uint64_t requests = 0;                                ///< begun, redirects and second tries included
  std::uint64_t reused = 0;                                  ///< of them over a pooled connection
  std::uint64_t sent = 0;                                    ///< bytes of requests
  std::uint64_t received = 0;                                ///< bytes of answers, as they came
  std::uint64_t open = 0;                                    ///< connections
  Milliseconds spent = 0;                                    ///< on requests that ended, connecting included
  std::uint64_t busy = 0;                                    ///< of them with a request; the others are idle
  std::map<std::string, std::uint64_t, std::less<>> errors;  ///< by their first word
};

/// HostStats by "host:port". Bounded: beyond kMost hosts the rest is counted as "others". Loop thread only.
class HostTable {
 public:
  static constexpr std::size_t kMost = 1000;

  /// Valid for as long as the table.
  [[nodiscard]] HostStats& of(std::string_view host);
  [[nodiscard]] const std::map<std::string, HostStats, std::less<>>& all() const { return hosts_; }

  /// Counts a connection as open while it, or a copy of it, lives.
  [[nodiscard]] static std::shared_ptr<void> mark_open(HostStats& stats);

 private:
  std::map<std::string, HostStats, std::less<>> hosts_;
};

}  // namespace perigee::client
