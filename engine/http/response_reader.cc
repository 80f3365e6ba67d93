#include "http/response_reader.h"

#include <algorithm>
#include <utility>

#include "http/byte_class.h"
#include "http/field_syntax.h"
#include "http/text_words.h"

namespace perigee::http {
namespace {

// Whether a field has that name, of letters and hyphens, eight bytes or more: most differ in length alone. By words: of
// what a token may hold only a letter in upper case becomes one of these by a bit more.
[[gnu::always_inline]] inline bool is_named(std::string_view name, std::string_view lower) {
  using text_words::load;
  constexpr std::uint64_t kLower = 0x2020202020202020;
  const std::size_t size = lower.size();
  if (name.size() != size) {
    return false;
  }
  std::uint64_t differs = 0;
  for (std::size_t at = 0;; at = at + 16 < size ? at + 8 : size - 8) {
    differs |= (load<std::uint64_t>(name.data() + at) | kLower) ^ load<std::uint64_t>(lower.data() + at);
    if (at + 8 == size) {
      return differs == 0;
    }
  }
}

// Whether a list of tokens holds one, in any case.
bool has_token(std::string_view list, std::string_view token) {
  while (!list.empty()) {
    if (equal_fold(take_element(list), token)) {
      return true;
    }
  }
  return false;
}

// Whether a line ends without a carriage return (RFC 9112 section 2.2), from byte `at` on.
bool has_bare_line_feed(std::string_view text, std::size_t at) {
  while ((at = text.find('\n', at)) != std::string_view::npos) {
    if (at == 0 || text[at - 1] != '\r') {
      return true;
    }
    ++at;
  }
  return false;
}

}  // namespace

void ResponseReader::begin(std::string_view method) {
  const bool to_head = method == "HEAD";
  const bool to_connect = method == "CONNECT";
  state_ = State::kHead;
  reason_ = "";
  compares_ = known_ && to_head == to_head_ && to_connect == to_connect_;
  to_head_ = to_head;
  to_connect_ = to_connect;
  passed_ = 0;
  if (!compares_) {
    forget_head();
  }
}

void ResponseReader::forget_head() {
  known_ = false;
  head_.clear();
  fields_.clear();
}

void ResponseReader::refuse(const char* reason) {
  state_ = State::kRefused;
  reason_ = reason;
}

std::size_t ResponseReader::feed(std::string_view bytes, std::string& body) {
  std::size_t used = 0;
  while (state_ == State::kHead && used < bytes.size()) {
    used += take_head(bytes.substr(used));
  }
  if (state_ != State::kBody || used == bytes.size()) {
    return used;
  }
  bytes.remove_prefix(used);
  if (framing_ == Framing::kUntilEnd) {
    body.append(bytes);
    return used + bytes.size();
  }
  if (framing_ == Framing::kCounted) {
    return used + take_counted(bytes, body);
  }
  body_ = &body;
  used += framer_.feed(bytes);
  if (framer_.state() == BodyFramer::State::kDone) {
    state_ = State::kDone;
  } else if (framer_.state() != BodyFramer::State::kReading) {
    refuse(framer_.reason());
  }
  return used;
}

// There is nothing in a body with a length to read two ways.
std::size_t ResponseReader::take_counted(std::string_view bytes, std::string& body) {
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
  body.append(bytes.data(), size);
  left_ -= size;
  if (left_ == 0) {
    state_ = State::kDone;
  }
  return size;
}

// Adds to the head until it is whole.
std::size_t ResponseReader::take_head(std::string_view bytes) {
  if (std::exchange(compares_, false)) {
    if (bytes.starts_with(head_)) {  // what it came to is still there
      begin_body();
      return head_.size();
    }
    forget_head();
  }
  const std::size_t before = head_.size();
  head_.append(bytes.substr(0, kMostHead + 4 - std::min(before, kMostHead)));
  const std::size_t end = head_.find("\r\n\r\n", before > 3 ? before - 3 : 0);
  if (end == std::string::npos) {
    if (passed_ + head_.size() > kMostHead) {
      refuse("its head is too large");
    } else if (has_bare_line_feed(head_, before)) {
      refuse("a line of its head is malformed");  // or its end might never come
    }
    return bytes.size();
  }
  head_.resize(end + 4);
  const std::size_t used = head_.size() - before;
  passed_ += head_.size();
  read_head();
  return used;
}

void ResponseReader::read_head() {
  fields_.clear();
  std::string_view rest(head_);
  rest.remove_suffix(2);  // the empty line
  bool first = true;
  while (!rest.empty()) {
    const std::size_t end = rest.find("\r\n");
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end + 2);
    if (!(first ? read_status_line(line) : read_field(line))) {
      return;
    }
    first = false;
  }
  if (status_ >= 100 && status_ < 200 && status_ != 101) {
    head_.clear();
    if (passed_ > kMostHead) {
      refuse("its head is too large");
    }
    return;
  }
  if (status_ == 101) {
    refuse("it changes the protocol, which nobody asked for");
  } else if (decide_framing()) {
    known_ = true;
    begin_body();
  }
}

void ResponseReader::begin_body() {
  state_ = framing_ == Framing::kNone || (framing_ == Framing::kCounted && length_ == 0) ? State::kDone : State::kBody;
  if (framing_ == Framing::kCounted) {
    left_ = static_cast<std::uint64_t>(length_);
  } else if (framing_ == Framing::kChunked) {
    const BodyFramer::Sink sink = [](void* self, std::string_view bytes) {
      static_cast<ResponseReader*>(self)->body_->append(bytes);
      return true;
    };
    (void)framer_.begin(std::nullopt, sink, this);
  }
}

bool ResponseReader::read_status_line(std::string_view line) {
  const bool good = line.size() >= 12 && line.starts_with("HTTP/1.") && (line[7] == '0' || line[7] == '1') &&
                    line[8] == ' ' && line[9] >= '1' && line[9] <= '9' && all_bytes(line.substr(10, 2), kDigitByte) &&
                    (line.size() == 12 || line[12] == ' ') && is_field_value(trimmed(line.substr(12)));
  if (!good) {
    refuse("it does not begin with a status line of HTTP/1");
    return false;
  }
  minor_version_ = line[7] - '0';
  status_ = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
  return true;
}

bool ResponseReader::read_field(std::string_view line) {
  const char* const end = line.data() + line.size();
  const char* colon = line.data();
  while (colon != end && is_byte(*colon, kTokenByte)) {
    ++colon;
  }
  const std::string_view name(line.data(), static_cast<std::size_t>(colon - line.data()));
  const std::string_view value = colon == end ? name : trimmed(line.substr(name.size() + 1));
  if (name.empty() || colon == end || *colon != ':' || !is_field_value(value)) {
    refuse("a line of its head is malformed");
    return false;
  }
  if (fields_.size() == kMostFields) {
    refuse("its head is too large");
    return false;
  }
  fields_.push_back({name, value});
  return true;
}

// RFC 9112 section 6.3.
bool ResponseReader::decide_framing() {
  keeps_open_ = minor_version_ == 1;
  bool encoded = false;
  bool chunked = false;
  int lengths = 0;
  std::string_view length;
  for (const Field& field : fields_) {
    if (is_named(field.name, "content-length")) {
      length = field.value;
      ++lengths;
    } else if (is_named(field.name, "connection")) {
      keeps_open_ = !has_token(field.value, "close") && (keeps_open_ || has_token(field.value, "keep-alive"));
    } else if (is_named(field.name, "transfer-encoding")) {
      chunked = !encoded && equal_fold(field.value, "chunked");
      encoded = true;
    }
  }
  length_ = -1;
  const bool bodiless = status_ == 204 || status_ == 304 || to_head_ || (to_connect_ && status_ / 100 == 2);
  if ((encoded && (!chunked || minor_version_ == 0)) || (encoded && lengths != 0) || lengths > 1) {
    refuse("its length can be read two ways");
    return false;
  }
  if (lengths == 1 && !read_length(length)) {
    return false;
  }
  if (bodiless) {
    framing_ = Framing::kNone;
    return true;
  }
  framing_ = chunked ? Framing::kChunked : lengths == 1 ? Framing::kCounted : Framing::kUntilEnd;
  return true;
}

bool ResponseReader::read_length(std::string_view text) {
  std::int64_t length = 0;
  for (const char byte : text) {
    if (!is_byte(byte, kDigitByte) || length > (INT64_MAX - 9) / 10) {
      refuse("its length is no number");
      return false;
    }
    length = length * 10 + (byte - '0');
  }
  if (text.empty()) {
    refuse("its length is no number");
    return false;
  }
  length_ = length;
  return true;
}

void ResponseReader::end() {
  if (state_ == State::kBody && framing_ == Framing::kUntilEnd) {
    state_ = State::kDone;
  } else if (state_ != State::kDone && state_ != State::kRefused) {
    refuse("it ends too early");
  }
}

std::string_view ResponseReader::field(std::string_view name) const {
  const auto found = std::find_if(fields_.begin(), fields_.end(), [name](const Field& each) {
    return each.name.size() == name.size() && equal_fold(each.name, name);
  });
  return found == fields_.end() ? std::string_view() : found->value;
}

}  // namespace perigee::http
