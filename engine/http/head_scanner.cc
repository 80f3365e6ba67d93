#include "http/head_scanner.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "http/byte_class.h"
#include "http/byte_scan.h"
#include "http/field_syntax.h"
#include "http/head_pass.h"
#include "http/known_names.h"
#include "http/target_scan.h"

namespace perigee::http {
namespace {

using byte_scan::find_end;
using Step = HeadPass::Step;

constexpr bool is_at_most_space(char byte) {
  return static_cast<unsigned char>(byte) <= ' ';
}

/// trim() of the value that ends at the CR `end`. There nearly always is one SP before it and none behind it.
inline std::string_view value_between(const char* colon, const char* end) {
  const char* begin = colon + 1 + (colon[1] == ' ' ? 1 : 0);
  return is_at_most_space(*begin) || is_at_most_space(end[-1])
             ? trim(begin, end)
             : std::string_view(begin, static_cast<std::size_t>(end - begin));
}

}  // namespace

[[gnu::always_inline]] inline void HeadPass::begin_head() {
  head_.content_length = RequestHead::kNoLength;
  head_.chunked = false;
  head_.expect_continue = false;
  head_.upgrade = false;
  head_.host = Span();
}

[[gnu::always_inline]] inline void HeadPass::begin_fields() {
  head_.field_count = 0;
  head_.known.fill(RequestHead::kAbsent);
}

/// A line that is read with another version, or after a target that names the host, may mean something else.
[[gnu::always_inline]] inline bool HeadPass::recall(HeadMemo& memo) {
  if (!memo.matches(line_, end_) || head_.minor_version != 1 || head_.host.size != 0) {
    return false;
  }
  memo.recall(head_, offset(line_));
  line_ += memo.size();
  head_.size = offset(line_);
  return true;
}

/// Reads the method and returns its end.
[[gnu::always_inline]] inline const char* HeadPass::read_method() {
  if (end_ - line_ >= 4 && reads(line_, "GET ")) {
    head_.method = Method::kGet;
    return line_ + 3;
  }
  const char* stop = find_token_end(line_, end_);
  head_.method = method_of({line_, static_cast<std::size_t>(stop - line_)});
  return stop;
}

[[gnu::always_inline]] inline HeadPass::Step HeadPass::read_request_line() {
  in_fields_ = false;
  if (line_ != end_ && *line_ == '\r') {
    if (const Step step = skip_empty_lines(); step != Step::kNext) {
      return step;
    }
  }
  const char* stop = read_method();
  if (stop == end_ || *stop != ' ' || stop == line_) {
    return stopped(stop, "the method is not a token");
  }
  const char* target = stop + 1;
  const TargetMarks marks = scan_target(target, end_);
  if (marks.end == end_ || *marks.end != ' ' || marks.end == target) {
    return stopped(marks.end, "the request target is malformed");
  }
  head_.method_text = span(line_, stop);
  head_.target = span(target, marks.end);
  if (const Step step = read_version(marks.end + 1); step != Step::kNext) {
    return step;
  }
  const Step step = read_target(marks);
  line_ = marks.end + 11;
  in_fields_ = true;
  return step;
}

/// Reads the version and the line's end, which stands ten bytes behind `at`.
[[gnu::always_inline]] inline HeadPass::Step HeadPass::read_version(const char* at) {
  head_.minor_version = 1;
  if (end_ - at < 10 || !reads(at, "HTTP/1.1") || !reads(at + 8, "\r\n")) {
    return read_odd_version(at);
  }
  return at + 8 - line_ > std::int64_t{limits_.request_line} ? too_long() : Step::kNext;
}

/// Takes the target apart (RFC 9112 section 3.2).
[[gnu::always_inline]] inline HeadPass::Step HeadPass::read_target(const TargetMarks& marks) {
  const char* target = begin_ + head_.target.offset;
  if (*target != '/' || head_.method >= Method::kConnect) {
    return read_odd_target(head_.text(head_.target));
  }
  const char* path_end = marks.query != nullptr ? marks.query : marks.end;
  head_.raw_path = span(target, path_end);
  head_.query = marks.query != nullptr ? span(path_end + 1, marks.end) : Span();
  head_.path_is_raw = marks.raw;
  return marks.raw ? Step::kNext : decode();
}

// Header fields (RFC 9112 section 5).

/// Reads the name that begins the line. Most are known and within reach of one look, which then have no wrong byte.
[[gnu::always_inline]] inline HeadPass::FieldName HeadPass::read_name() const {
#if defined(__SSE2__)
  if (line_ < range_.wide_end) {
    const std::uint32_t colons = byte_scan::bits(byte_scan::equal(byte_scan::load(line_), ':'));
    const auto size = static_cast<std::size_t>(std::countr_zero(colons | 0x10000));
    const KnownField slot = known_names::find({line_, size});
    if (colons != 0 && slot != KnownField::kCount) {
      return {line_ + size, slot};
    }
  }
#endif
  return read_odd_name();
}

[[gnu::always_inline]] inline HeadPass::Step HeadPass::read_field_line() {
  if (line_ != end_ && *line_ == '\r') {
    return read_end_line();
  }
  const FieldName name = read_name();
  const char* colon = name.end;
  if (name.slot == KnownField::kCount && (colon == end_ || *colon != ':' || colon == line_)) {
    return stopped(colon, "a header line does not begin with a name and a colon");
  }
  const char* stop = find_end<byte_scan::ValueBytes>(range_, colon + 1);
  if (end_ - stop < 2 || !reads(stop, "\r\n")) {
    stop = find_odd_value_end(stop);
    if (end_ - stop < 2 || !reads(stop, "\r\n")) {
      return end_ - stop == 1 && *stop == '\r' ? more(stop) : stopped(stop, "a header value is malformed");
    }
  }
  if (stop - line_ > std::int64_t{limits_.field_line}) {
    return too_long();
  }
  if (head_.field_count >= max_fields_) {
    return refuse(431, "there are too many header lines");
  }
  const std::string_view value = value_between(colon, stop);
  const std::uint16_t index = head_.field_count++;
  head_.fields[index] = {span(line_, colon), span(value)};
  line_ = stop + 2;
  return name.slot == KnownField::kCount ? Step::kNext : note_known_field(name.slot, index, value);
}

[[gnu::always_inline]] inline HeadPass::Step HeadPass::read_end_line() {
  if (end_ - line_ == 1) {
    return Step::kMore;
  }
  if (line_[1] != '\n') {
    return refuse(400, "a CR stands without its LF");
  }
  line_ += 2;
  return Step::kLast;
}

[[gnu::always_inline]] inline HeadPass::Step HeadPass::note_known_field(KnownField slot, std::uint16_t index,
                                                                        std::string_view value) {
  const Step step = slot <= KnownField::kUpgrade ? read_known_field(slot, value) : Step::kNext;
  std::uint16_t& first = head_.known[static_cast<std::size_t>(slot)];
  first = first == RequestHead::kAbsent ? index : first;
  return step;
}

/// Judges a field that says something about framing or the connection. Its slot still names the one before it.
[[gnu::always_inline]] inline HeadPass::Step HeadPass::read_known_field(KnownField slot, std::string_view value) {
  switch (slot) {
    case KnownField::kHost:
      return read_host(value);
    case KnownField::kConnection:
      return read_connection(value);
    case KnownField::kContentLength:
      return read_content_length(value);
    case KnownField::kTransferEncoding:
      return read_transfer_encoding(value);
    case KnownField::kExpect:
      return read_expect(value);
    default:
      return Step::kNext;
  }
}

/// Whether the up to four bytes are digits; eight are looked at together. REQUIRES: end - at <= 4.
[[gnu::always_inline]] inline bool HeadPass::is_port(const char* at, const char* end) const {
  if (std::endian::native != std::endian::little || end_ - at < 8) {
    return std::all_of(at, end, [](char byte) { return is_byte(byte, kDigitByte); });
  }
  constexpr std::uint64_t kEach = 0x0101010101010101;
  std::uint64_t bytes = 0;
  std::memcpy(&bytes, at, sizeof bytes);
  const std::uint64_t digits = bytes ^ (kEach * '0');                                    // 0 to 9 where it is one
  const std::uint64_t others = (digits | (digits + kEach * (0x7f - 9))) & (kEach << 7);  // marked by its top bit
  return (others & ((std::uint64_t{1} << (8 * (end - at))) - 1)) == 0;
}

/// Whether the value is a host of plain letters with a port of at most four digits: nearly every one.
[[gnu::always_inline]] inline bool HeadPass::is_plain_host(std::string_view value) const {
  const char* const value_end = value.data() + value.size();
  const char* at = byte_scan::find_near_end<byte_scan::HostBytes>(range_, value.data());
  if (at == value_end || *at != ':' || value_end - at > 5) {
    return at == value_end && !value.empty();
  }
  return at != value.data() && is_port(at + 1, value_end);
}

[[gnu::always_inline]] inline HeadPass::Step HeadPass::read_host(std::string_view value) {
  if (!head_.field_seen(KnownField::kHost) && (is_plain_host(value) || is_host(value))) {
    head_.host = head_.host.size == 0 ? span(value) : head_.host;
    return Step::kNext;
  }
  return refuse(400, "Host is malformed, or there is more than one");
}

[[gnu::always_inline]] inline HeadPass::Step HeadPass::finish() {
  if (head_.minor_version == 1 && !head_.field_seen(KnownField::kHost)) {
    return refuse(400, "Host is missing");
  }
  const bool close = (connection_ & kCloseOption) != 0;
  head_.keep_alive = !close && (head_.minor_version == 1 || (connection_ & kKeepAliveOption) != 0);
  head_.upgrade = head_.minor_version == 1 && (connection_ & kUpgradeOption) != 0 && names_upgrade();
  head_.size = offset(line_);
  return Step::kLast;
}

HeadScanner::Verdict HeadScanner::scan(const char* data, std::size_t size, const HeadLimits& limits, RequestHead& head,
                                       HeadMemo* memo) {
  if (status_ != 0) {
    return Verdict::kRefused;
  }
  // What lies beyond the limit is not looked at: a head that is not whole within it is too large.
  HeadPass pass(data, data + std::min<std::size_t>(size, limits.total), limits, head, line_start_, connection_);
  head.base = data;
  Step step = Step::kNext;
  if (!in_fields_) {
    pass.begin_head();
    step = pass.read_request_line();
    if (step == Step::kNext) {
      if (memo != nullptr && pass.recall(*memo)) {
        return Verdict::kComplete;
      }
      pass.begin_fields();
      fields_start_ = pass.line_start();
      in_fields_ = true;
    }
  }
  while (step == Step::kNext) {
    step = pass.read_field_line();
  }
  if (step == Step::kLast && pass.finish() == Step::kLast) {
    line_start_ = 0;
    in_fields_ = false;
    connection_ = 0;
    if (memo != nullptr) {
      memo->keep(head, fields_start_);
    }
    return Verdict::kComplete;
  }
  if (step == Step::kMore && size <= limits.total) {
    line_start_ = pass.line_start();
    connection_ = pass.connection();
    return Verdict::kIncomplete;
  }
  status_ = pass.status() != 0 ? pass.status() : 431;
  reason_ = pass.status() != 0 ? pass.reason() : "the head is too large";
  return Verdict::kRefused;
}

}  // namespace perigee::http
