#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "http/request_head.h"

namespace perigee::http {

/// Which trace a request belongs to (W3C Trace Context, https://www.w3.org/TR/trace-context/). Views into the request.
struct TraceContext {
  std::string_view trace_id;   ///< 32 lower-case hexadecimal digits
  std::string_view parent_id;  ///< 16: the caller's own part
  std::string_view flags;      ///< 2; the lowest bit: it is recorded
};

/// Takes a `traceparent` field apart. Nothing where it is none: another version's may be longer, version ff and ids of
/// zeros only are invalid.
[[nodiscard]] std::optional<TraceContext> parse_traceparent(std::string_view value);

/// What a request says; nothing where it says nothing, nonsense or two things.
[[nodiscard]] std::optional<TraceContext> trace_context(const RequestHead& head);

/// The field to send with what is asked on behalf of that request; `span_id`: 16 hexadecimal digits of one's own.
[[nodiscard]] std::string traceparent(const TraceContext& context, std::string_view span_id);

}  // namespace perigee::http
