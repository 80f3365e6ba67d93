#include "http/multipart.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "http/byte_class.h"
#include "http/field_parameters.h"
#include "http/field_syntax.h"

namespace perigee::http {
namespace {

constexpr std::size_t kLongestBoundary = 70;

bool is_boundary(std::string_view text) {
  const auto allowed = [](char byte) {
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           std::string_view("'()+_,-./:=? ").find(byte) != std::string_view::npos;
  };
  return !text.empty() && text.size() <= kLongestBoundary && text.back() != ' ' &&
         std::all_of(text.begin(), text.end(), allowed);
}

std::size_t common_size(std::string_view a, std::string_view b) {
  const std::size_t most = std::min(a.size(), b.size());
  return static_cast<std::size_t>(
      std::mismatch(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(most), b.begin()).first - a.begin());
}

}  // namespace

Result<std::string> MultipartParser::boundary_of(std::string_view content_type) {
  const auto type = parse_field_parameters(content_type);
  if (!type || type->value != "multipart/form-data") {
    return fail("the Content-Type is no well-formed multipart/form-data");
  }
  const std::string* boundary = type->find("boundary");
  if (boundary == nullptr) {
    return fail("the form's Content-Type names no boundary");
  }
  if (!is_boundary(*boundary)) {
    return fail("the form's boundary is longer than 70 bytes or holds what it may not");
  }
  return *boundary;
}

MultipartParser::MultipartParser(std::string_view boundary, std::size_t most_parts, MultipartSink& sink)
    : delimiter_("\r\n--" + std::string(boundary)), most_parts_(most_parts), sink_(sink) {
  begin_content(Stage::kPreamble);
}

MultipartParser::State MultipartParser::feed(std::string_view bytes) {
  while (!bytes.empty() && (state_ == State::kReading || state_ == State::kDone)) {
    switch (stage_) {
      case Stage::kPreamble:
      case Stage::kBody:
        bytes = read_content(bytes);
        break;
      case Stage::kTail:
        bytes = read_tail(bytes);
        break;
      case Stage::kHeader:
        bytes = read_header(bytes);
        break;
      case Stage::kEpilogue:
        bytes = read_epilogue(bytes);
        break;
    }
  }
  return state_;
}

MultipartParser::State MultipartParser::finish() {
  if (state_ == State::kReading) {
    refuse("the form ends before its last boundary");
  }
  return state_;
}

// Content, up to the delimiter that ends it. CR stands in the delimiter at its beginning only: what follows a
// broken-off match can begin a new one, but nothing within the match can.
std::string_view MultipartParser::read_content(std::string_view bytes) {
  if (matched_ > 0) {
    const std::string_view expected = std::string_view(delimiter_).substr(matched_);
    const std::size_t same = common_size(expected, bytes);
    matched_ += same;
    bytes.remove_prefix(same);
    if (same == expected.size()) {
      end_content();
      return bytes;
    }
    if (bytes.empty()) {
      return bytes;
    }
    const std::size_t implied = std::exchange(implied_, 0);
    take(std::string_view(delimiter_).substr(implied, std::exchange(matched_, 0) - implied));
    return bytes;
  }
  std::size_t at = 0;
  for (;;) {
    const void* found = std::memchr(bytes.data() + at, '\r', bytes.size() - at);
    if (found == nullptr) {
      take(bytes);
      return {};
    }
    at = static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data());
    const std::size_t same = common_size(delimiter_, bytes.substr(at));
    if (same == delimiter_.size() || at + same == bytes.size()) {
      take(bytes.substr(0, at));
      matched_ = same;
      if (same == delimiter_.size()) {
        end_content();
      }
      return bytes.substr(at + same);
    }
    at += same;
  }
}

void MultipartParser::take(std::string_view content) {
  if (content.empty() || state_ != State::kReading) {
    return;
  }
  if (stage_ == Stage::kBody) {
    stop_unless(sink_.part_bytes(content));
    return;
  }
  outside_ += content.size();
  if (outside_ > kLongestOutside) {
    refuse("too much stands before the form's first boundary");
  }
}

// The line's start counts as the delimiter's CRLF: the first boundary may begin the body, and a part without a body may
// end with its header (RFC 2046 section 5.1.1).
void MultipartParser::begin_content(Stage stage) {
  stage_ = stage;
  matched_ = implied_ = 2;
}

void MultipartParser::end_content() {
  matched_ = implied_ = 0;
  if (stage_ == Stage::kBody && state_ == State::kReading) {
    stop_unless(sink_.end_part());
  }
  stage_ = Stage::kTail;
  tail_ = Tail::kStart;
  header_size_ = 0;
}

std::string_view MultipartParser::read_tail(std::string_view bytes) {
  const char byte = bytes[0];
  const bool space = byte == ' ' || byte == '\t';
  const bool ends = tail_ == Tail::kStart || tail_ == Tail::kSpace;
  if (++header_size_ > kLongestHeader) {
    refuse("the line of a boundary is too long");
  } else if (tail_ == Tail::kStart && byte == '-') {
    tail_ = Tail::kDash;
  } else if (tail_ == Tail::kDash && byte == '-') {
    tail_ = Tail::kLast;
    state_ = State::kDone;
  } else if (ends && space) {
    tail_ = Tail::kSpace;
  } else if (ends && byte == '\r') {
    tail_ = Tail::kReturn;
  } else if (tail_ == Tail::kReturn && byte == '\n') {
    begin_header();
  } else if (tail_ == Tail::kLast && byte == '\r') {
    stage_ = Stage::kEpilogue;
    outside_ = 0;
  } else if (tail_ != Tail::kLast || !space) {
    refuse("a line begins with the form's boundary and goes on");
  }
  return bytes.substr(1);
}

void MultipartParser::begin_header() {
  if (parts_++ == most_parts_) {
    state_ = State::kTooMany;
    reason_ = "the form has too many parts";
    return;
  }
  stage_ = Stage::kHeader;
  header_size_ = 0;
  line_.clear();
  disposition_.reset();
  type_.reset();
  encoding_.reset();
}

std::string_view MultipartParser::read_header(std::string_view bytes) {
  const std::size_t end = bytes.find('\n');
  const std::string_view piece = bytes.substr(0, end == std::string_view::npos ? end : end + 1);
  header_size_ += piece.size();
  if (header_size_ > kLongestHeader) {
    refuse("the header of a part is too long");
    return {};
  }
  line_ += piece;
  if (end == std::string_view::npos) {
    return {};
  }
  if (!line_.ends_with("\r\n")) {
    refuse("a line in the header of a part does not end with CRLF");
  } else if (line_.size() == 2) {
    end_header();
  } else {
    read_line(std::string_view(line_).substr(0, line_.size() - 2));
  }
  line_.clear();
  return bytes.substr(piece.size());
}

void MultipartParser::read_line(std::string_view line) {
  const std::size_t colon = line.find(':');
  const std::string_view name = line.substr(0, colon);
  if (colon == std::string_view::npos || !is_token(name)) {
    refuse("a line in the header of a part is no field");
    return;
  }
  const std::string_view value = trimmed(line.substr(colon + 1));
  if (!is_field_value(value)) {
    refuse("a field of a part holds a control character");
    return;
  }
  std::optional<std::string>* const slot = equal_fold(name, "content-disposition")         ? &disposition_
                                           : equal_fold(name, "content-type")              ? &type_
                                           : equal_fold(name, "content-transfer-encoding") ? &encoding_
                                                                                           : nullptr;
  if (slot != nullptr && slot->has_value()) {
    refuse("a field of a part is given twice");
  } else if (slot != nullptr) {
    *slot = value;
  }
}

void MultipartParser::end_header() {
  MultipartPart part;
  part.type = type_.value_or("text/plain");
  const auto type = parse_field_parameters(part.type);
  if (!type || type->value.find('/') == std::string::npos) {
    return refuse("the Content-Type of a part is malformed");
  }
  if (type->value.starts_with("multipart/")) {
    return refuse("a part of the form is a multipart itself");
  }
  if (encoding_ && !equal_fold(*encoding_, "7bit") && !equal_fold(*encoding_, "8bit") &&
      !equal_fold(*encoding_, "binary")) {
    return refuse("a part of the form has a Content-Transfer-Encoding, which forms have given up");
  }
  if (!disposition_) {
    return refuse("a part of the form has no Content-Disposition");
  }
  name_part(part, *disposition_);
  if (state_ == State::kReading) {
    stop_unless(sink_.begin_part(std::move(part)));
    begin_content(Stage::kBody);
  }
}

void MultipartParser::name_part(MultipartPart& part, std::string_view disposition) {
  const auto fields = parse_field_parameters(disposition);
  const std::string* name = fields ? fields->find("name") : nullptr;
  if (!fields || fields->value != "form-data" || name == nullptr) {
    return refuse("the Content-Disposition of a part does not name its field");
  }
  part.name = *name;
  if (const std::string* plain = fields->find("filename"); plain != nullptr) {
    part.filename = last_path_component(*plain);
  }
  if (const std::string* extended = fields->find("filename*"); extended != nullptr) {
    if (const auto decoded = decode_extended_value(*extended)) {
      part.filename = last_path_component(*decoded);
    } else if (!part.filename) {
      part.filename = "";
    }
  }
}

std::string_view MultipartParser::read_epilogue(std::string_view bytes) {
  outside_ += bytes.size();
  if (outside_ > kLongestOutside) {
    refuse("too much stands behind the form's last boundary");
  }
  return {};
}

void MultipartParser::refuse(std::string reason) {
  state_ = State::kRefused;
  reason_ = std::move(reason);
}

void MultipartParser::stop_unless(bool wanted) {
  if (!wanted) {
    state_ = State::kStopped;
  }
}

}  // namespace perigee::http
