#include "http/answer_reader.h"

#include <strings.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace perigee::http {
namespace {

constexpr std::string_view kLineEnd = "\r\n";

bool is_name(std::string_view name, std::string_view wanted) {
  return name.size() == wanted.size() && strncasecmp(name.data(), wanted.data(), wanted.size()) == 0;
}

}  // namespace

void AnswerReader::begin(bool to_head_request) {
  input_.erase(0, start_);
  start_ = 0;
  fields_.clear();
  body_.clear();
  state_ = State::kHead;
  framing_ = Framing::kClose;
  left_ = 0;
  status_ = 0;
  in_chunk_ = closes_ = sets_cookies_ = false;
  bodiless_ = to_head_request;
}

std::string AnswerReader::take_body() {
  return std::exchange(body_, {});
}

AnswerReader::State AnswerReader::advance(bool ended) {
  while (state_ == State::kHead && read_head()) {
  }
  if (state_ == State::kHead && ended) {
    state_ = State::kBroken;
  }
  if (state_ != State::kBody) {
    return state_;
  }
  switch (framing_) {
    case Framing::kNone:
      state_ = State::kDone;
      break;
    case Framing::kLength:
      read_length(ended);
      break;
    case Framing::kChunked:
      read_chunks(ended);
      break;
    case Framing::kClose:
      body_.append(unread());
      consume(unread().size());
      state_ = ended ? State::kDone : State::kBody;
      break;
  }
  return state_;
}

/// True when a whole head was read; an interim one (1xx) is passed over.
bool AnswerReader::read_head() {
  const std::string_view text = unread();
  const std::size_t end = text.find("\r\n\r\n");
  if (end == std::string_view::npos) {
    return false;
  }
  const std::size_t line_end = text.find(kLineEnd);
  if (!read_status(text.substr(0, line_end))) {
    state_ = State::kBroken;
    return false;
  }
  fields_.assign(text.substr(line_end + 2, end - line_end));
  consume(end + 4);
  if (status_ >= 100 && status_ < 200) {
    return true;
  }
  for (std::string_view rest = fields_; !rest.empty();) {
    const std::size_t size = rest.find(kLineEnd);
    read_field(rest.substr(0, size));
    rest.remove_prefix(std::min(rest.size(), size + 2));
  }
  if (bodiless_ || status_ == 204 || status_ == 304) {
    framing_ = Framing::kNone;
  }
  closes_ = closes_ || framing_ == Framing::kClose;
  state_ = State::kBody;
  return true;
}

bool AnswerReader::read_status(std::string_view line) {
  constexpr std::size_t kStatus = std::string_view("HTTP/1.1 ").size();
  if (!line.starts_with("HTTP/1.") || line.size() < kStatus + 3) {
    return false;
  }
  return std::from_chars(line.data() + kStatus, line.data() + kStatus + 3, status_).ec == std::errc();
}

void AnswerReader::read_field(std::string_view line) {
  const std::size_t colon = line.find(':');
  const std::string_view name = line.substr(0, colon);
  std::string_view value = colon == std::string_view::npos ? "" : line.substr(colon + 1);
  value.remove_prefix(std::min(value.size(), value.find_first_not_of(' ')));
  if (is_name(name, "content-length") && framing_ != Framing::kChunked) {
    std::from_chars(value.data(), value.data() + value.size(), left_);
    framing_ = Framing::kLength;
  } else if (is_name(name, "transfer-encoding")) {
    framing_ = Framing::kChunked;
    left_ = 0;
  } else if (is_name(name, "connection")) {
    closes_ = is_name(value, "close");
  } else if (is_name(name, "set-cookie")) {
    sets_cookies_ = true;
  }
}

void AnswerReader::read_length(bool ended) {
  const std::string_view part = unread().substr(0, left_);
  body_.append(part);
  consume(part.size());
  left_ -= part.size();
  state_ = left_ == 0 ? State::kDone : ended ? State::kBroken : State::kBody;
}

void AnswerReader::read_chunks(bool ended) {
  for (;;) {
    const std::string_view text = unread();
    if (in_chunk_) {
      const std::string_view part = text.substr(0, left_);
      body_.append(part);
      left_ -= part.size();
      consume(part.size());
      if (left_ != 0 || unread().size() < 2) {
        break;
      }
      consume(2);
      in_chunk_ = false;
      continue;
    }
    const std::size_t end = text.find(kLineEnd);
    if (end == std::string_view::npos) {
      break;
    }
    if (std::from_chars(text.data(), text.data() + end, left_, 16).ec != std::errc()) {
      state_ = State::kBroken;
      return;
    }
    if (left_ == 0) {  // the trailer section, of which we send none, and its end
      if (text.size() < end + 4) {
        break;
      }
      consume(end + 4);
      state_ = State::kDone;
      return;
    }
    consume(end + 2);
    in_chunk_ = true;
  }
  state_ = ended ? State::kBroken : State::kBody;
}

}  // namespace perigee::http
