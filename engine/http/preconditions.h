#pragma once

#include <cstdint>
#include <ctime>
#include <string_view>

#include "http/request_head.h"

namespace perigee::http {

/// What tells one state of a representation from another (RFC 9110 section 8.8).
struct Validators {
  std::string_view etag;  ///< strong, with its quotes
  std::time_t modified = 0;
};

enum class Precondition : std::uint8_t {
  kHolds,        ///< the method is performed
  kNotModified,  ///< 304
  kFails         ///< 412
};

/// Evaluates If-Match, If-Unmodified-Since, If-None-Match and If-Modified-Since in the order of RFC 9110 section
/// 13.2.2. A date that is none counts as absent, and so does one in the future of `now` of If-Modified-Since.
[[nodiscard]] Precondition evaluate_preconditions(const RequestHead& head, const Validators& current, std::time_t now);

/// Whether Range is to be looked at: for GET, and where If-Range is absent or names the current state exactly. A date
/// does so only if the representation was last changed a second or more before `now` (sections 13.1.5, 8.8.2.2).
[[nodiscard]] bool range_applies(const RequestHead& head, const Validators& current, std::time_t now);

}  // namespace perigee::http
