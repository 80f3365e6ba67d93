#include "http/trace_context.h"

#include <algorithm>

namespace perigee::http {
namespace {

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_id(std::string_view text) {
  return is_hex(text) && text.find_first_not_of('0') != std::string_view::npos;
}

}  // namespace

std::optional<TraceContext> parse_traceparent(std::string_view value) {
  constexpr std::size_t kSize = 55;  // version-trace_id-parent_id-flags
  if (value.size() < kSize || value[2] != '-' || value[35] != '-' || value[52] != '-') {
    return std::nullopt;
  }
  const std::string_view version = value.substr(0, 2);
  const bool longer = value.size() > kSize;
  if (!is_hex(version) || version == "ff" || (longer && (version == "00" || value[kSize] != '-'))) {
    return std::nullopt;
  }
  const TraceContext context{value.substr(3, 32), value.substr(36, 16), value.substr(53, 2)};
  if (!is_id(context.trace_id) || !is_id(context.parent_id) || !is_hex(context.flags)) {
    return std::nullopt;
  }
  return context;
}

std::optional<TraceContext> trace_context(const RequestHead& head) {
  if (!head.field_seen(KnownField::kTraceparent)) {
    return std::nullopt;
  }
  const std::uint16_t first = head.known[static_cast<std::size_t>(KnownField::kTraceparent)];
  if (head.find("traceparent", static_cast<std::uint16_t>(first + 1)) != RequestHead::kAbsent) {
    return std::nullopt;
  }
  return parse_traceparent(head.field(KnownField::kTraceparent));
}

std::string traceparent(const TraceContext& context, std::string_view span_id) {
  // Of the flags only those that version 00 knows (section 3.2.2.5): another version's may mean something else.
  const bool recorded = (context.flags[1] & 1) == (context.flags[1] >= 'a' ? 0 : 1);
  std::string text = "00-";
  text.append(context.trace_id).append("-").append(span_id).append(recorded ? "-01" : "-00");
  return text;
}

}  // namespace perigee::http
