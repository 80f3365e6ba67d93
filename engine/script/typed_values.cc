#include "script/typed_values.h"

#include "base/escape.h"
#include "http/cookie.h"
#include "http/url.h"

namespace perigee::script {
namespace {

constexpr std::uint16_t kAbsentField = http::RequestHead::kAbsent;

// Whether a form's name, encoded, stands for `name`. `room` receives what had to be decoded.
bool is_name(std::string_view raw, std::string_view name, std::string& room) {
  if (!http::needs_form_decoding(raw)) {
    return raw == name;
  }
  if (raw.size() < name.size()) {
    return false;
  }
  room.resize(raw.size());
  room.resize(http::form_decode(raw, room.data()));
  return room == name;
}

bool find_in_query(Exchange& exchange, std::string_view name) {
  std::string& room = exchange.value_room();
  http::FormPairs pairs(exchange.view.query.view());
  while (pairs.next()) {
    if (!is_name(pairs.raw_name(), name, room)) {
      continue;
    }
    const std::string_view raw = pairs.raw_value();
    if (!http::needs_form_decoding(raw)) {
      exchange.view.found = Slice::of(raw);
      return true;
    }
    room.resize(raw.size());
    room.resize(http::form_decode(raw, room.data()));
    exchange.view.found = Slice::of(room);
    return true;
  }
  return false;
}

std::uint16_t first_field(const http::RequestHead& head, std::string_view name) {
  const http::KnownField slot = http::known_field_of(name);
  return slot != http::KnownField::kCount ? head.known[static_cast<std::size_t>(slot)] : head.find(name);
}

bool find_in_headers(Exchange& exchange, std::string_view name) {
  const std::uint16_t at = first_field(exchange.head, name);
  if (at == kAbsentField) {
    return false;
  }
  exchange.view.found = Slice::of(exchange.head.text(exchange.head.fields[at].value));
  return true;
}

// Calls `take` with the value of each cookie called `name` until it returns true.
template <typename Take>
bool each_cookie(const http::RequestHead& head, std::string_view name, const Take& take) {
  for (std::uint16_t at = first_field(head, "cookie"); at != kAbsentField;
       at = head.find("cookie", static_cast<std::uint16_t>(at + 1))) {
    http::CookiePairs pairs(head.text(head.fields[at].value));
    while (pairs.next()) {
      if (pairs.name() == name && take(pairs.value())) {
        return true;
      }
    }
  }
  return false;
}

bool find(Exchange& exchange, ValueSource source, std::string_view name) {
  switch (source) {
    case ValueSource::kQuery:
      return find_in_query(exchange, name);
    case ValueSource::kHeader:
      return find_in_headers(exchange, name);
    case ValueSource::kCookie:
      return each_cookie(exchange.head, name, [&exchange](std::string_view value) {
        exchange.view.found = Slice::of(value);
        return true;
      });
    case ValueSource::kForm:
      break;
  }
  return false;
}

std::vector<std::string_view> form_values(std::string_view text, std::string_view name) {
  std::vector<std::string_view> values;
  std::string room;
  http::FormPairs pairs(text);
  while (pairs.next()) {
    if (is_name(pairs.raw_name(), name, room)) {
      values.push_back(pairs.raw_value());
    }
  }
  return values;
}

}  // namespace

bool parse_value(http::PathType type, std::string_view text, double& number) {
  return type == http::PathType::kString ? utf8_characters(text) >= 0 : http::parse_path_value(type, text, number);
}

ValueVerdict find_value(Exchange& exchange, ValueSource source, std::string_view name, http::PathType type) {
  if (!find(exchange, source, name)) {
    return ValueVerdict::kAbsent;
  }
  const bool taken = parse_value(type, exchange.view.found.view(), exchange.view.number);
  return taken ? ValueVerdict::kTaken : ValueVerdict::kRefused;
}

std::vector<std::string_view> all_values(const Exchange& exchange, ValueSource source, std::string_view name) {
  const http::RequestHead& head = exchange.head;
  std::vector<std::string_view> values;
  switch (source) {
    case ValueSource::kQuery:
      return form_values(exchange.view.query.view(), name);
    case ValueSource::kForm:
      return form_values(exchange.view.body.view(), name);
    case ValueSource::kHeader:
      for (std::uint16_t at = head.find(name); at != kAbsentField;
           at = head.find(name, static_cast<std::uint16_t>(at + 1))) {
        values.push_back(head.text(head.fields[at].value));
      }
      break;
    case ValueSource::kCookie:
      (void)each_cookie(head, name, [&values](std::string_view value) {
        values.push_back(value);
        return false;
      });
      break;
  }
  return values;
}

std::int32_t utf8_characters(std::string_view text) noexcept {
  const char* at = text.data();
  const char* const end = at + text.size();
  std::int32_t count = 0;
  while (at != end) {
    const std::size_t size = static_cast<unsigned char>(*at) < 0x80 ? 1 : utf8_length({at, end});
    if (size == 0) {
      return -1;
    }
    at += size;
    ++count;
  }
  return count;
}

std::string excerpt(std::string_view text, std::size_t most) {
  constexpr std::string_view kReplacement = "\xef\xbf\xbd";
  std::string shown;
  const char* const end = text.data() + text.size();
  for (const char* at = text.data(); at != end;) {
    const std::size_t size = utf8_length({at, end});
    const std::string_view character = size == 0 ? kReplacement : std::string_view(at, size);
    if (shown.size() + character.size() > most) {
      break;
    }
    shown += character;
    at += size == 0 ? 1 : size;
  }
  return shown;
}

}  // namespace perigee::script
