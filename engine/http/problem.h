#pragma once

#include <string>
#include <string_view>

namespace perigee::http {

inline constexpr std::string_view kProblemType = "application/problem+json";

/// A problem document (RFC 9457): {"type":"about:blank","title":...,"status":...,"detail":...,"request_id":...}; empty
/// `detail` and `request_id` are left out, and so is the type, as its default is about:blank.
[[nodiscard]] std::string problem_json(int status, std::string_view detail, std::string_view request_id);

}  // namespace perigee::http
