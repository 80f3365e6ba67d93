#include "script/exchange.h"

#include <cstring>
#include <optional>

#include "http/cookie.h"
#include "http/url.h"

namespace perigee::script {
namespace {

constexpr std::size_t kKeptCapacity = 64 * 1024;  // of a body's string between requests

}  // namespace

BodyIntake& Exchange::open_intake() {
  if (intake == nullptr) {
    intake = std::make_unique<BodyIntake>();
  }
  return *intake;
}

void Exchange::end_body() {
  view.body = Slice::of(body);
  view.body_state &= ~kBodyArriving;
  if (intake != nullptr) {
    intake->end();
  }
}

bool Exchange::holds() const {
  return intake != nullptr || session.looked() || answer.file != nullptr || body.capacity() > kKeptCapacity;
}

void Exchange::shed(bool all) {
  intake.reset();
  session.end();
  answer.file.reset();
  if (all || body.capacity() > kKeptCapacity) {
    std::string().swap(body);
  }
  if (!all) {
    return;
  }
  for (std::string* text : {&answer.type_text, &answer.cookies, &answer.text, &decoded_, &head_bytes_}) {
    std::string().swap(*text);
  }
  answer.fields.release();
}

// Decodes a form's name or value into the room reserved in `decoded`.
static Slice decoded_slice(std::string_view text, std::string& decoded) {
  const std::size_t at = decoded.size();
  decoded.resize(at + text.size());  // within what was reserved: earlier slices stay
  decoded.resize(at + http::form_decode(text, decoded.data() + at));
  return Slice::of(std::string_view(decoded).substr(at));
}

std::int32_t Exchange::read_query() {
  const std::string_view query = view.query.view();
  if (query.empty()) {
    return 0;
  }
  decoded_.clear();
  http::FormPairs pairs(query);
  std::size_t count = 0;
  while (pairs.next()) {
    if (count == kMaxPairs) {
      return -1;
    }
    PairView& pair = pairs_[count++];
    if (pairs.plain()) {
      pair = {Slice::of(pairs.raw_name()), Slice::of(pairs.raw_value())};
      continue;
    }
    decoded_.reserve(query.size());
    pair.name = decoded_slice(pairs.raw_name(), decoded_);
    pair.value = decoded_slice(pairs.raw_value(), decoded_);
  }
  return static_cast<std::int32_t>(count);
}

bool Exchange::find_query(std::string_view name) {
  const auto value = http::find_form_value(view.query.view(), name, decoded_);
  view.found = value ? Slice::of(*value) : Slice{};
  return value.has_value();
}

bool Exchange::find_cookie(std::string_view name) noexcept {
  constexpr auto kCookie = static_cast<std::size_t>(http::KnownField::kCookie);
  for (std::uint16_t at = head.known[kCookie]; at != http::RequestHead::kAbsent;
       at = head.find("cookie", static_cast<std::uint16_t>(at + 1))) {
    if (const auto value = http::find_cookie(head.text(head.fields[at].value), name)) {
      view.found = Slice::of(*value);
      return true;
    }
  }
  return false;
}

std::string_view Exchange::only_cookie(std::string_view name, std::size_t size) const noexcept {
  constexpr auto kCookie = static_cast<std::size_t>(http::KnownField::kCookie);
  const std::uint16_t first = head.known[kCookie];
  if (first == http::RequestHead::kAbsent) {
    return {};
  }
  const std::string_view only = head.text(head.fields[first].value);
  if (only.size() == name.size() + 1 + size && only[name.size()] == '=' &&
      std::memcmp(only.data(), name.data(), name.size()) == 0 &&
      head.find("cookie", static_cast<std::uint16_t>(first + 1)) == http::RequestHead::kAbsent) {
    return {only.data() + name.size() + 1, size};
  }
  std::optional<std::string_view> found;
  for (std::uint16_t at = first; at != http::RequestHead::kAbsent;
       at = head.find("cookie", static_cast<std::uint16_t>(at + 1))) {
    const std::string_view field = head.text(head.fields[at].value);
    const auto value = http::find_cookie(field, name);
    if (!value) {
      continue;
    }
    if (found || http::has_second_cookie(field, *value, name)) {
      return {};
    }
    found = value;
  }
  return found.value_or(std::string_view());
}

std::int32_t Exchange::read_cookies() {
  const std::uint16_t first = head.known[static_cast<std::size_t>(http::KnownField::kCookie)];
  if (first == http::RequestHead::kAbsent) {
    return 0;
  }
  if (head.find("cookie", static_cast<std::uint16_t>(first + 1)) != http::RequestHead::kAbsent) {
    return -1;
  }
  http::CookiePairs pairs(head.text(head.fields[first].value));
  std::size_t count = 0;
  while (pairs.next()) {
    if (count == kMaxPairs) {
      return -1;
    }
    pairs_[count++] = {Slice::of(pairs.name()), Slice::of(pairs.value())};
  }
  return static_cast<std::int32_t>(count);
}

void Exchange::own_head() {
  if (owned_) {
    return;
  }
  owned_ = true;
  head_bytes_.assign(head.base, head.size);
  const auto moved = [this](Slice& slice) {
    if (slice.data >= head.base && slice.data <= head.base + head.size) {
      slice.data = head_bytes_.data() + (slice.data - head.base);
    }
  };
  for (Slice* slice : {&view.method_text, &view.target, &view.path, &view.query, &view.host}) {
    moved(*slice);
  }
  for (std::uint32_t i = 0; i < parameters.count; ++i) {
    moved(parameters.values[i].text);
  }
  head.base = head_bytes_.data();
}

}  // namespace perigee::script
