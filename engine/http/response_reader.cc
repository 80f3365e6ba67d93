#include "http/response_reader.h"

#include <algorithm>

#include "http/byte_class.h"
#include "http/field_syntax.h"

namespace perigee::http {
namespace {

// Whether a field has that name: most differ in length alone.
bool is_named(std::string_view name, std::string_view lower) {
  return name.size() == lower.size() && equal_fold(name, lower);
}

// Whether a list of tokens holds one, in any case.
bool has_token(std::string_view list, std::string_view token) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    if (equal_fold(trimmed(list.substr(0, comma)), token)) {
      return true;
    }
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

}  // namespace

void ResponseReader::begin(std::string_view method) {
  state_ = State::kHead;
  reason_ = "";
  to_head_ = method == "HEAD";
  to_connect_ = method == "CONNECT";
  head_.clear();
  passed_ = 0;
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
  body_ = &body;
  used += framer_.feed(bytes);
  if (framer_.state() == BodyFramer::State::kDone) {
    state_ = State::kDone;
  } else if (framer_.state() != BodyFramer::State::kReading) {
    refuse(framer_.reason());
  }
  return used;
}

// Adds to the head until it is whole.
std::size_t ResponseReader::take_head(std::string_view bytes) {
  const std::size_t before = head_.size();
  head_.append(bytes.substr(0, kMostHead + 4 - std::min(before, kMostHead)));
  const std::size_t end = head_.find("\r\n\r\n", before > 3 ? before - 3 : 0);
  if (end == std::string::npos) {
    if (passed_ + head_.size() > kMostHead) {
      refuse("its head is too large");
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
    state_ =
        framing_ == Framing::kNone || (framing_ == Framing::kCounted && length_ == 0) ? State::kDone : State::kBody;
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
  const std::size_t colon = line.find(':');
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = colon == std::string_view::npos ? name : trimmed(line.substr(colon + 1));
  if (colon == std::string_view::npos || !is_token(name) || !is_field_value(value)) {
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
    if (is_named(field.name, "connection")) {
      keeps_open_ = !has_token(field.value, "close") && (keeps_open_ || has_token(field.value, "keep-alive"));
    } else if (is_named(field.name, "transfer-encoding")) {
      chunked = !encoded && equal_fold(field.value, "chunked");
      encoded = true;
    } else if (is_named(field.name, "content-length")) {
      length = field.value;
      ++lengths;
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
  if (framing_ == Framing::kUntilEnd || (framing_ == Framing::kCounted && length_ == 0)) {
    return true;
  }
  const BodyFramer::Sink sink = [](void* self, std::string_view bytes) {
    static_cast<ResponseReader*>(self)->body_->append(bytes);
    return true;
  };
  (void)framer_.begin(chunked ? std::nullopt : std::optional(static_cast<std::uint64_t>(length_)), sink, this);
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
  const auto found =
      std::find_if(fields_.begin(), fields_.end(), [name](const Field& each) { return is_named(each.name, name); });
  return found == fields_.end() ? std::string_view() : found->value;
}

}  // namespace perigee::http
