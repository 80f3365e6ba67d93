#include "http/forwarded.h"

#include <algorithm>
#include <utility>

#include "http/byte_class.h"
#include "http/field_syntax.h"

namespace perigee::http {
namespace {

// Splits a line at commas, outside of quotes if it has any; empty items don't count (RFC 9110 section 5.6.1.2). False
// when a quote is never closed.
bool split(std::string_view line, bool quoted, std::vector<std::string_view>& items) {
  bool inside = false;
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= line.size(); ++i) {
    if (i == line.size() || (line[i] == ',' && !inside)) {
      if (const std::string_view item = trimmed(line.substr(begin, i - begin)); !item.empty()) {
        items.push_back(item);
      }
      begin = i + 1;
    } else if (quoted && line[i] == '"') {
      inside = !inside;
    } else if (inside && line[i] == '\\') {
      ++i;  // a quoted-pair
      if (i >= line.size()) {
        return false;
      }
    }
  }
  return !inside;
}

// Takes a token or a quoted-string off the front of `text`; nothing when neither stands there.
std::optional<std::string> take_value(std::string_view& text) {
  if (!text.starts_with('"')) {
    const std::size_t end = std::min(text.find_first_of("; \t"), text.size());
    const std::string_view token = text.substr(0, end);
    text.remove_prefix(end);
    return is_token(token) ? std::optional<std::string>(token) : std::nullopt;
  }
  std::string value;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') {
      text.remove_prefix(i + 1);
      return value;
    }
    i += text[i] == '\\' ? 1 : 0;
    if (i < text.size()) {
      value += text[i];
    }
  }
  return std::nullopt;
}

// RFC 7239 section 6: digits, or obfuscated as "_" and what names may hold.
bool is_node_port(std::string_view text) {
  if (text.starts_with('_')) {
    return text.size() > 1 && is_token(text);
  }
  return !text.empty() && text.size() <= 5 && all_bytes(text, kDigitByte);
}

// Whether it is written as IP addresses are; that it really is one the reader finds out.
std::optional<std::string> as_address(std::string_view text) {
  const bool plain = std::all_of(text.begin(), text.end(),
                                 [](char byte) { return is_byte(byte, kHexByte) || byte == ':' || byte == '.'; });
  return plain && !text.empty() ? std::optional<std::string>(text) : std::nullopt;
}

// The address of a node, without brackets and port; empty for "unknown" and obfuscated ones (RFC 7239 section 6).
// `bare`: IPv6 may stand without brackets, as in X-Forwarded-For. Nothing when it is no node at all.
std::optional<std::string> address_of(std::string_view node, bool bare) {
  const bool bracketed = node.starts_with('[');
  if (bare && !bracketed && std::count(node.begin(), node.end(), ':') > 1) {
    return as_address(node);
  }
  std::size_t end = bracketed ? node.find(']') : node.find(':');
  if (bracketed && end == std::string_view::npos) {
    return std::nullopt;
  }
  end = std::min(end, node.size());
  const std::string_view name = node.substr(bracketed ? 1 : 0, end - (bracketed ? 1 : 0));
  const std::string_view rest = node.substr(std::min(end + (bracketed ? 1 : 0), node.size()));
  if (name.empty() || (!rest.empty() && (rest.front() != ':' || !is_node_port(rest.substr(1))))) {
    return std::nullopt;
  }
  if (bracketed) {
    return name.find(':') != std::string_view::npos ? as_address(name) : std::nullopt;
  }
  if (equal_fold(name, "unknown") || (name.front() == '_' && name.size() > 1 && is_token(name))) {
    return std::string();
  }
  return as_address(name);
}

std::string proto_of(std::string_view text) {
  return equal_fold(text, "https") ? "https" : equal_fold(text, "http") ? "http" : "";
}

struct Parameter {
  std::string_view name;
  std::string value;
};

void skip_separators(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of("; \t"), text.size()));
}

// Takes `name=value` and what parts it from the next.
std::optional<Parameter> take_parameter(std::string_view& text) {
  const std::size_t equals = text.find('=');
  const std::string_view name = text.substr(0, equals);
  if (equals == std::string_view::npos || !is_token(name)) {
    return std::nullopt;
  }
  text.remove_prefix(equals + 1);
  std::optional<std::string> value = take_value(text);
  text = trimmed(text);
  if (!value || (!text.empty() && text.front() != ';')) {
    return std::nullopt;
  }
  skip_separators(text);
  return Parameter{name, std::move(*value)};
}

bool is_among(const std::vector<std::string_view>& names, std::string_view name) {
  return std::any_of(names.begin(), names.end(), [name](std::string_view other) { return equal_fold(name, other); });
}

// Keeps what a parameter says of the hop; false when its value can't be.
bool note(const Parameter& parameter, ForwardedHop& hop) {
  if (equal_fold(parameter.name, "for")) {
    std::optional<std::string> address = address_of(parameter.value, /*bare=*/false);
    hop.node = address.value_or("");
    return address.has_value();
  }
  if (equal_fold(parameter.name, "proto")) {
    hop.proto = proto_of(parameter.value);
  }
  return true;
}

}  // namespace

std::optional<ForwardedHop> parse_forwarded_element(std::string_view text) {
  ForwardedHop hop;
  std::vector<std::string_view> seen;
  skip_separators(text);
  while (!text.empty()) {
    const std::optional<Parameter> parameter = take_parameter(text);
    if (!parameter || is_among(seen, parameter->name) || !note(*parameter, hop)) {
      return std::nullopt;
    }
    seen.push_back(parameter->name);
  }
  return hop;
}

ForwardedHops::Items::Items(const RequestHead& head, KnownField field, bool quoted)
    : head_(head), field_(field), quoted_(quoted), line_(head.field_seen(field) ? head.field_count : 0) {}

bool ForwardedHops::Items::previous_line() {
  while (line_ > 0) {
    const FieldSpans& field = head_.fields[--line_];
    if (known_field_of(head_.text(field.name)) == field_) {
      return true;
    }
  }
  return false;
}

std::optional<std::string_view> ForwardedHops::Items::next() {
  while (items_.empty()) {
    if (!previous_line() || !split(head_.text(head_.fields[line_].value), quoted_, items_)) {
      return std::nullopt;
    }
  }
  const std::string_view item = items_.back();
  items_.pop_back();
  return item;
}

ForwardedHops::ForwardedHops(const RequestHead& head)
    : x_forwarded_(head.field_seen(KnownField::kXForwardedFor) || head.field_seen(KnownField::kXForwardedProto)),
      nodes_(head, x_forwarded_ ? KnownField::kXForwardedFor : KnownField::kForwarded, !x_forwarded_),
      protos_(head, KnownField::kXForwardedProto, false) {}

std::optional<ForwardedHop> ForwardedHops::next() {
  if (x_forwarded_) {
    return next_x_forwarded();
  }
  const std::optional<std::string_view> item = nodes_.next();
  return item ? parse_forwarded_element(*item) : std::nullopt;
}

// The two lists belong together from their ends; of protocols there is often but one. One without any address is of
// the nearest sender.
std::optional<ForwardedHop> ForwardedHops::next_x_forwarded() {
  const std::optional<std::string_view> node = nodes_.next();
  const std::optional<std::string_view> proto = protos_.next();
  if (!node && (!proto || !first_)) {
    return std::nullopt;
  }
  first_ = false;
  ForwardedHop hop;
  hop.proto = proto_of(proto.value_or(""));
  if (node) {
    std::optional<std::string> address = address_of(*node, /*bare=*/true);
    if (!address) {
      return std::nullopt;
    }
    hop.node = std::move(*address);
  }
  return hop;
}

std::string_view given_request_id(const RequestHead& head) {
  const std::uint16_t index = head.known[static_cast<std::size_t>(KnownField::kXRequestId)];
  if (index == RequestHead::kAbsent) {
    return {};
  }
  const std::string_view id = head.field(KnownField::kXRequestId);
  const bool single = head.find("x-request-id", static_cast<std::uint16_t>(index + 1)) == RequestHead::kAbsent;
  return single && id.size() <= kMostRequestId && is_token(id) ? id : std::string_view();
}

}  // namespace perigee::http
