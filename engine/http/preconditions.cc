#include "http/preconditions.h"

#include <algorithm>
#include <cstddef>
#include <optional>

#include "http/http_date.h"

namespace perigee::http {
namespace {

constexpr std::string_view kWeak = "W/";

// Takes an entity-tag off the front of a list, white space and commas before it included; "" when there is none.
std::string_view next_tag(std::string_view& list) {
  list.remove_prefix(std::min(list.find_first_not_of(" \t,"), list.size()));
  const std::size_t open = list.starts_with(kWeak) ? kWeak.size() : 0;
  const std::size_t close = open < list.size() && list[open] == '"' ? list.find('"', open + 1) : std::string_view::npos;
  if (close == std::string_view::npos) {
    return {};
  }
  const std::string_view tag = list.substr(0, close + 1);
  list.remove_prefix(close + 1);
  return tag;
}

// Whether a list of entity-tags, or "*", names the current one; weak tags count only where `weakly`.
bool names(std::string_view list, std::string_view etag, bool weakly) {
  if (list == "*") {
    return true;
  }
  for (std::string_view tag = next_tag(list); !tag.empty(); tag = next_tag(list)) {
    if (weakly && tag.starts_with(kWeak)) {
      tag.remove_prefix(kWeak.size());
    }
    if (tag == etag) {
      return true;
    }
  }
  return false;
}

// The field may come in several lines, which are one list.
bool any_names(const RequestHead& head, std::string_view name, KnownField slot, std::string_view etag, bool weakly) {
  for (std::uint16_t i = head.known[static_cast<std::size_t>(slot)]; i != RequestHead::kAbsent;
       i = head.find(name, static_cast<std::uint16_t>(i + 1))) {
    if (names(head.text(head.fields[i].value), etag, weakly)) {
      return true;
    }
  }
  return false;
}

std::optional<std::time_t> date_of(const RequestHead& head, KnownField slot, std::time_t now) {
  return head.field_seen(slot) ? parse_http_date(head.field(slot), now) : std::nullopt;
}

}  // namespace

Precondition evaluate_preconditions(const RequestHead& head, const Validators& current, std::time_t now) {
  if (head.field_seen(KnownField::kIfMatch)) {
    if (!any_names(head, "if-match", KnownField::kIfMatch, current.etag, false)) {
      return Precondition::kFails;
    }
  } else if (const auto date = date_of(head, KnownField::kIfUnmodifiedSince, now); date && current.modified > *date) {
    return Precondition::kFails;
  }
  const bool reads = head.method == Method::kGet || head.method == Method::kHead;
  if (head.field_seen(KnownField::kIfNoneMatch)) {
    if (any_names(head, "if-none-match", KnownField::kIfNoneMatch, current.etag, true)) {
      return reads ? Precondition::kNotModified : Precondition::kFails;
    }
  } else if (const auto date = date_of(head, KnownField::kIfModifiedSince, now);
             reads && date && *date <= now && current.modified <= *date) {
    return Precondition::kNotModified;
  }
  return Precondition::kHolds;
}

bool range_applies(const RequestHead& head, const Validators& current, std::time_t now) {
  if (head.method != Method::kGet || !head.field_seen(KnownField::kRange)) {
    return false;
  }
  if (!head.field_seen(KnownField::kIfRange)) {
    return true;
  }
  const std::string_view wanted = head.field(KnownField::kIfRange);
  if (wanted.starts_with('"') || wanted.starts_with(kWeak)) {
    return wanted == current.etag;  // strong comparison: a weak one never equals
  }
  return date_of(head, KnownField::kIfRange, now) == current.modified && current.modified < now;
}

}  // namespace perigee::http
