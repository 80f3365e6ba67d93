#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/request_head.h"

namespace perigee::http {

/// What one proxy says of whoever sent it the request.
struct ForwardedHop {
  std::string node;   ///< the sender's address, without brackets and port; empty when it is hidden or not told
  std::string proto;  ///< "http" or "https", how it was sent; empty when not told
};

/// One element of Forwarded (RFC 7239 section 4), as `for=192.0.2.60;proto=http`. White space around ";" is let pass;
/// nothing when the element is malformed: a parameter twice, a value neither token nor quoted, IPv6 without brackets, a
/// node with bytes that no IP address has.
[[nodiscard]] std::optional<ForwardedHop> parse_forwarded_element(std::string_view text);

/// The hops that the forwarding headers of a request name, the nearest first: over all lines of a header, from its end.
/// X-Forwarded-For and X-Forwarded-Proto count if either is there, else Forwarded does. Ends at what is malformed. That
/// nodes are really addresses is left to the reader. Lives shorter than the head.
class ForwardedHops {
 public:
  explicit ForwardedHops(const RequestHead& head);

  /// The next one, further from us. REQUIRES: every call before gave one.
  [[nodiscard]] std::optional<ForwardedHop> next();

 private:
  // The items of a header, from its end: first its last line.
  class Items {
   public:
    Items(const RequestHead& head, KnownField field, bool quoted);
    [[nodiscard]] std::optional<std::string_view> next();

   private:
    [[nodiscard]] bool previous_line();

    const RequestHead& head_;
    KnownField field_;
    bool quoted_;             // commas within quotes do not part items
    std::uint32_t line_ = 0;  // lines from here on are done
    std::vector<std::string_view> items_;
  };

  [[nodiscard]] std::optional<ForwardedHop> next_x_forwarded();

  bool x_forwarded_;
  bool first_ = true;
  Items nodes_;
  Items protos_;
};

/// The X-Request-Id of a request if it can be one: a single field, a token (RFC 9110 section 5.6.2) of at most
/// kMostRequestId bytes. Otherwise empty.
[[nodiscard]] std::string_view given_request_id(const RequestHead& head);
inline constexpr std::size_t kMostRequestId = 128;

}  // namespace perigee::http
