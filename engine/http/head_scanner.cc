#include "http/head_scanner.h"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

#include "http/byte_class.h"
#include "http/byte_scan.h"
#include "http/field_syntax.h"
#include "http/folded_name.h"
#include "http/known_names.h"
#include "http/target_scan.h"
#include "http/url.h"

namespace perigee::http {
namespace {

using byte_scan::find_end;

/// What reading one line came to.
enum class Step : std::uint8_t {
  kNext,  ///< the line is whole; the pass stands behind it
  kLast,  ///< it was the empty line that ends the head
  kMore,  ///< it goes on behind the bytes at hand
  kRefused
};

/// Where a header line's name ends, and what it is: known names are followed by a colon, others perhaps not.
struct FieldName {
  const char* end;
  KnownField slot;
};

/// The options of Connection fields that mean something here.
enum ConnectionOption : std::uint8_t { kCloseOption = 1, kKeepAliveOption = 2, kUpgradeOption = 4 };

constexpr FoldedName kKeepAlive("keep-alive");
constexpr FoldedName kClose("close");
constexpr FoldedName kUpgrade("upgrade");
constexpr FoldedName kChunked("chunked");

/// Whether the bytes at `at` are those of the literal; of two, four or eight of them one comparison.
template <std::size_t kSize>
bool reads(const char* at, const char (&literal)[kSize]) {
  return std::memcmp(at, literal, kSize - 1) == 0;
}

const char* find_token_end(const char* at, const char* end) {
  while (at != end && is_byte(*at, kTokenByte)) {
    ++at;
  }
  return at;
}

constexpr bool is_at_most_space(char byte) {
  return static_cast<unsigned char>(byte) <= ' ';
}

/// The text without the white space around it. REQUIRES: a colon or comma stands somewhere before, and all are bytes of
/// a field value, so that none but blanks are as low as SP.
[[gnu::noinline]] std::string_view trim(const char* begin, const char* end) {
  while (is_at_most_space(end[-1])) {
    --end;
  }
  while (begin < end && is_at_most_space(*begin)) {
    ++begin;
  }
  return {begin, static_cast<std::size_t>(end > begin ? end - begin : 0)};
}

/// trim() of the value that ends at the CR `end`. There nearly always is one SP before it and none behind it.
inline std::string_view value_between(const char* colon, const char* end) {
  const char* begin = colon + 1 + (colon[1] == ' ' ? 1 : 0);
  return is_at_most_space(*begin) || is_at_most_space(end[-1])
             ? trim(begin, end)
             : std::string_view(begin, static_cast<std::size_t>(end - begin));
}

/// Takes the next element off a comma-separated list (RFC 9110 section 5.6.1). REQUIRES: !list.empty().
std::string_view take_element(std::string_view& list) {
  const std::string_view element = list.substr(0, list.find(','));
  list.remove_prefix(std::min(element.size() + 1, list.size()));
  return trim(element.data(), element.data() + element.size());
}

std::uint8_t connection_option_of(std::string_view token) {
  if (kKeepAlive.equals(token)) {
    return kKeepAliveOption;
  }
  if (kClose.equals(token)) {
    return kCloseOption;
  }
  return kUpgrade.equals(token) ? kUpgradeOption : 0;
}

bool is_known_but_for_case(std::string_view token) {
  for (int i = 0; i < static_cast<int>(Method::kExtension); ++i) {
    if (equal_fold(token, method_name(static_cast<Method>(i)))) {
      return true;
    }
  }
  return false;
}

/// One look at a head's bytes, from the first line that was not whole at the last look.
class Pass {
 public:
  Pass(const char* begin, const char* end, const HeadLimits& limits, RequestHead& head, std::uint32_t line_start,
       std::uint8_t connection)
      : range_(begin, end),
        begin_(begin),
        end_(end),
        line_(begin + line_start),
        limits_(limits),
        head_(head),
        max_fields_(std::min(limits.fields, RequestHead::kMaxFields)),
        connection_(connection) {}

  void begin_head();
  Step read_request_line();
  Step read_field_line();
  Step finish();

  [[nodiscard]] std::uint32_t line_start() const { return offset(line_); }
  [[nodiscard]] std::uint8_t connection() const { return connection_; }
  [[nodiscard]] int status() const { return status_; }
  [[nodiscard]] const char* reason() const { return reason_; }

 private:
  [[nodiscard]] std::uint32_t offset(const char* at) const { return static_cast<std::uint32_t>(at - begin_); }
  [[nodiscard]] Span span(const char* from, const char* to) const {
    return {offset(from), static_cast<std::uint32_t>(to - from)};
  }
  [[nodiscard]] Span span(std::string_view text) const {
    return {offset(text.data()), static_cast<std::uint32_t>(text.size())};
  }

  Step refuse(int status, const char* reason);
  Step refuse_line(const char* at, int status, const char* reason);
  Step refuse_byte(const char* at, const char* reason);
  Step more(const char* at);
  Step stopped(const char* at, const char* reason);
  Step too_long();

  Step skip_empty_lines();
  const char* read_method();
  Step read_version(const char* at);
  Step read_odd_version(const char* at);
  Step read_target(const TargetMarks& marks);
  Step read_odd_target(std::string_view target);
  Step read_absolute_form(std::string_view target, std::size_t scheme);
  Step decode();

  [[nodiscard]] FieldName read_name() const;
  [[nodiscard]] FieldName read_odd_name() const;
  [[nodiscard]] const char* find_odd_value_end(const char* at) const;
  Step read_end_line();
  Step note_known_field(KnownField slot, std::uint16_t index, std::string_view value);
  Step read_known_field(KnownField slot, std::string_view value);
  [[nodiscard]] bool is_plain_host(std::string_view value) const;
  Step read_host(std::string_view value);
  Step read_connection(std::string_view value);
  Step read_content_length(std::string_view value);
  Step read_transfer_encoding(std::string_view value);
  Step read_expect(std::string_view value);
  [[nodiscard]] bool names_upgrade() const;

  const byte_scan::Range range_;
  const char* const begin_;
  const char* const end_;
  const char* line_;  ///< the first line that is not read
  const HeadLimits& limits_;
  RequestHead& head_;
  const std::uint32_t max_fields_;
  std::uint8_t connection_;
  bool in_fields_ = true;
  int status_ = 0;
  const char* reason_ = "";
};

void Pass::begin_head() {
  head_.content_length = RequestHead::kNoLength;
  head_.chunked = false;
  head_.expect_continue = false;
  head_.upgrade = false;
  head_.field_count = 0;
  head_.host = Span();
  head_.known.fill(RequestHead::kAbsent);
}

// Refusals. A line is refused for its length first, so that the verdict does not depend on how much of it is there.

[[gnu::noinline]] Step Pass::refuse(int status, const char* reason) {
  status_ = status;
  reason_ = reason;
  return Step::kRefused;
}

[[gnu::noinline]] Step Pass::too_long() {
  return in_fields_ ? refuse(431, "a header line is too long") : refuse(414, "the request line is too long");
}

/// Refuses the line because of what is known once the byte at `at` is.
[[gnu::noinline]] Step Pass::refuse_line(const char* at, int status, const char* reason) {
  const std::uint32_t limit = in_fields_ ? limits_.field_line : limits_.request_line;
  return at - line_ > std::int64_t{limit} ? too_long() : refuse(status, reason);
}

[[gnu::noinline]] Step Pass::refuse_byte(const char* at, const char* reason) {
  const auto code = static_cast<unsigned char>(*at);
  if (code == '\n') {
    return refuse_line(at, 400, "a line ends without a CR");
  }
  if (code == '\r') {
    return refuse_line(at, 400, "a CR stands without its LF");
  }
  return refuse_line(at, 400, code < 0x20 || code == 0x7f ? "the head has a control character" : reason);
}

/// The line goes on behind `at`, the end of the bytes or a CR there.
[[gnu::noinline]] Step Pass::more(const char* at) {
  const std::uint32_t limit = in_fields_ ? limits_.field_line : limits_.request_line;
  return at - line_ > std::int64_t{limit} ? too_long() : Step::kMore;
}

/// The bytes of some class end at `at`, too early: at the end of all bytes, or at one that does not belong.
[[gnu::noinline]] Step Pass::stopped(const char* at, const char* reason) {
  return at == end_ ? more(at) : refuse_byte(at, reason);
}

// The request line (RFC 9112 section 3).

Step Pass::skip_empty_lines() {
  while (line_ != end_ && *line_ == '\r') {
    if (end_ - line_ == 1) {
      return Step::kMore;
    }
    if (line_[1] != '\n') {
      return refuse(400, "a CR stands without its LF");
    }
    if (offset(line_) == 2 * HeadScanner::kMaxEmptyLines) {
      return refuse(400, "too many empty lines before the request");
    }
    line_ += 2;
  }
  return Step::kNext;
}

/// Reads the method and returns its end.
inline const char* Pass::read_method() {
  if (end_ - line_ >= 4 && reads(line_, "GET ")) {
    head_.method = Method::kGet;
    return line_ + 3;
  }
  const char* stop = find_token_end(line_, end_);
  head_.method = method_of({line_, static_cast<std::size_t>(stop - line_)});
  return stop;
}

Step Pass::read_request_line() {
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
inline Step Pass::read_version(const char* at) {
  head_.minor_version = 1;
  if (end_ - at < 10 || !reads(at, "HTTP/1.1") || !reads(at + 8, "\r\n")) {
    return read_odd_version(at);
  }
  return at + 8 - line_ > std::int64_t{limits_.request_line} ? too_long() : Step::kNext;
}

[[gnu::noinline]] Step Pass::read_odd_version(const char* at) {
  constexpr std::string_view kShape = "HTTP/d.d\r\n";
  for (std::size_t i = 0; i < kShape.size(); ++i) {
    if (at + i == end_) {
      return more(i == 9 ? end_ - 1 : end_);
    }
    if (kShape[i] == 'd' ? !is_byte(at[i], kDigitByte) : at[i] != kShape[i]) {
      return refuse_byte(at + i, "the HTTP version is malformed");
    }
  }
  if (at[5] != '1' || at[7] > '1') {
    return refuse_line(at + 8, 505, "the HTTP version is neither 1.0 nor 1.1");
  }
  head_.minor_version = at[7] - '0';
  return at + 8 - line_ > std::int64_t{limits_.request_line} ? too_long() : Step::kNext;
}

/// Takes the target apart (RFC 9112 section 3.2).
inline Step Pass::read_target(const TargetMarks& marks) {
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

[[gnu::noinline]] Step Pass::decode() {
  Result<std::string> path = decode_path(head_.text(head_.raw_path));
  if (!path) {
    return refuse(400, "the path is malformed, or climbs above the root");
  }
  head_.path_is_raw = false;
  head_.decoded_path = std::move(*path);
  return Step::kNext;
}

/// Any form but the origin form, and extension methods.
[[gnu::noinline]] Step Pass::read_odd_target(std::string_view target) {
  if (head_.method == Method::kExtension && is_known_but_for_case(head_.text(head_.method_text))) {
    return refuse(501, "methods are case-sensitive");
  }
  head_.query = Span();
  head_.raw_path = span(target);
  head_.path_is_raw = true;
  if (head_.method == Method::kConnect) {
    const bool has_port = target.find(':') != std::string_view::npos && is_byte(target.back(), kDigitByte);
    head_.raw_path = Span();
    head_.host = head_.target;
    return is_host(target) && has_port ? decode() : refuse(400, "CONNECT wants host:port as its target");
  }
  if (target == "*") {
    return head_.method == Method::kOptions ? Step::kNext : refuse(400, "only OPTIONS takes * as its target");
  }
  if (target[0] == '/') {
    return read_absolute_form(target, 0);
  }
  const std::size_t scheme = target.find("://");
  const std::string_view name = target.substr(0, scheme == std::string_view::npos ? 0 : scheme);
  if (!equal_fold(name, "http") && !equal_fold(name, "https")) {
    return refuse(400, "the request target is neither a path nor an http or https address");
  }
  return read_absolute_form(target, scheme + 3);
}

/// Splits authority, path and query; the authority begins at `from` and is empty when the path does.
[[gnu::noinline]] Step Pass::read_absolute_form(std::string_view target, std::size_t from) {
  const std::size_t path = std::min(target.find_first_of("/?", from), target.size());
  const std::size_t query = std::min(target.find('?', path), target.size());
  head_.host = span(target.substr(from, path - from));
  head_.raw_path = span(target.substr(path, query - path));
  head_.query = query < target.size() ? span(target.substr(query + 1)) : Span();
  if (from > 0 && !is_host(head_.text(head_.host))) {
    return refuse(400, "the authority of the request target is malformed");
  }
  return decode();
}

// Header fields (RFC 9112 section 5).

/// Reads the name that begins the line. Most are known and within reach of one look, which then have no wrong byte.
inline FieldName Pass::read_name() const {
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

[[gnu::noinline]] FieldName Pass::read_odd_name() const {
  const char* stop = find_token_end(find_end<byte_scan::NameBytes>(range_, line_), end_);
  if (stop == end_ || *stop != ':') {
    return {stop, KnownField::kCount};
  }
  return {stop, known_names::find({line_, static_cast<std::size_t>(stop - line_)})};
}

/// Goes on where a value has an HTAB.
[[gnu::noinline]] const char* Pass::find_odd_value_end(const char* at) const {
  while (at != end_ && *at == '\t') {
    at = find_end<byte_scan::ValueBytes>(range_, at + 1);
  }
  return at;
}

Step Pass::read_field_line() {
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

Step Pass::read_end_line() {
  if (end_ - line_ == 1) {
    return Step::kMore;
  }
  if (line_[1] != '\n') {
    return refuse(400, "a CR stands without its LF");
  }
  line_ += 2;
  return Step::kLast;
}

inline Step Pass::note_known_field(KnownField slot, std::uint16_t index, std::string_view value) {
  const Step step = slot <= KnownField::kUpgrade ? read_known_field(slot, value) : Step::kNext;
  std::uint16_t& first = head_.known[static_cast<std::size_t>(slot)];
  first = first == RequestHead::kAbsent ? index : first;
  return step;
}

/// Judges a field that says something about framing or the connection. Its slot still names the one before it.
inline Step Pass::read_known_field(KnownField slot, std::string_view value) {
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

/// Whether the value is a host of plain letters with a port of at most four digits: nearly every one.
inline bool Pass::is_plain_host(std::string_view value) const {
  const char* const value_end = value.data() + value.size();
  const char* at = byte_scan::find_near_end<byte_scan::HostBytes>(range_, value.data());
  if (at == value_end || *at != ':' || value_end - at > 5) {
    return at == value_end && !value.empty();
  }
  const bool named = at != value.data();
  for (++at; at != value_end && is_byte(*at, kDigitByte); ++at) {
  }
  return named && at == value_end;
}

inline Step Pass::read_host(std::string_view value) {
  if (!head_.field_seen(KnownField::kHost) && (is_plain_host(value) || is_host(value))) {
    head_.host = head_.host.size == 0 ? span(value) : head_.host;
    return Step::kNext;
  }
  return refuse(400, "Host is malformed, or there is more than one");
}

Step Pass::read_connection(std::string_view value) {
  if (const std::uint8_t option = connection_option_of(value); option != 0) {  // nearly always there is one alone
    connection_ |= option;
    return Step::kNext;
  }
  while (!value.empty()) {
    const std::string_view element = take_element(value);
    if (!element.empty() && !is_token(element)) {
      return refuse(400, "Connection is not a list of tokens");
    }
    connection_ |= connection_option_of(element);
  }
  return Step::kNext;
}

Step Pass::read_content_length(std::string_view value) {
  if (head_.field_seen(KnownField::kContentLength) || head_.field_seen(KnownField::kTransferEncoding)) {
    return refuse(400, "the body's length is given more than once");
  }
  if (value.empty() || !all_bytes(value, kDigitByte)) {
    return refuse(400, "Content-Length is not a number");
  }
  std::int64_t length = 0;
  for (const char digit : value) {
    if (__builtin_mul_overflow(length, 10, &length) || __builtin_add_overflow(length, digit - '0', &length)) {
      return refuse(400, "Content-Length is too large");
    }
  }
  head_.content_length = length;
  return Step::kNext;
}

/// RFC 9112 section 6.1 and 6.3: a coding that is not understood is a 501, but where "chunked" is not the last one the
/// body has no end that could be found, and that is a 400.
Step Pass::read_transfer_encoding(std::string_view value) {
  if (head_.field_seen(KnownField::kContentLength) || head_.field_seen(KnownField::kTransferEncoding)) {
    return refuse(400, "the body's length is given more than once");
  }
  if (head_.minor_version == 0) {
    return refuse(400, "HTTP/1.0 has no transfer codings");
  }
  head_.chunked = kChunked.equals(value);
  if (head_.chunked) {
    return Step::kNext;
  }
  std::string_view last;
  bool chunked_before = false;
  while (!value.empty()) {
    chunked_before = chunked_before || kChunked.equals(last);
    last = take_element(value);
  }
  return !chunked_before && kChunked.equals(last) ? refuse(501, "no transfer coding but chunked is known")
                                                  : refuse(400, "chunked is not the last transfer coding");
}

/// RFC 9110 section 10.1.1: of a 1.0 client the expectation is ignored.
Step Pass::read_expect(std::string_view value) {
  if (!equal_fold(value, "100-continue")) {
    return refuse(417, "no expectation but 100-continue is known");
  }
  head_.expect_continue = head_.minor_version == 1;
  return Step::kNext;
}

/// Whether an Upgrade field names a protocol.
[[gnu::noinline]] bool Pass::names_upgrade() const {
  std::uint16_t index = head_.known[static_cast<std::size_t>(KnownField::kUpgrade)];
  while (index != RequestHead::kAbsent && head_.fields[index].value.size == 0) {
    index = head_.find("upgrade", static_cast<std::uint16_t>(index + 1));
  }
  return index != RequestHead::kAbsent;
}

Step Pass::finish() {
  if (head_.minor_version == 1 && !head_.field_seen(KnownField::kHost)) {
    return refuse(400, "Host is missing");
  }
  const bool close = (connection_ & kCloseOption) != 0;
  head_.keep_alive = !close && (head_.minor_version == 1 || (connection_ & kKeepAliveOption) != 0);
  head_.upgrade = head_.minor_version == 1 && (connection_ & kUpgradeOption) != 0 && names_upgrade();
  head_.size = offset(line_);
  return Step::kLast;
}

}  // namespace

void HeadScanner::reset() {
  line_start_ = 0;
  in_fields_ = false;
  connection_ = 0;
  status_ = 0;
  reason_ = "";
}

HeadScanner::Verdict HeadScanner::scan(const char* data, std::size_t size, const HeadLimits& limits,
                                       RequestHead& head) {
  if (status_ != 0) {
    return Verdict::kRefused;
  }
  // What lies beyond the limit is not looked at: a head that is not whole within it is too large.
  Pass pass(data, data + std::min<std::size_t>(size, limits.total), limits, head, line_start_, connection_);
  head.base = data;
  Step step = Step::kNext;
  if (!in_fields_) {
    pass.begin_head();
    step = pass.read_request_line();
    in_fields_ = step == Step::kNext;
  }
  while (step == Step::kNext) {
    step = pass.read_field_line();
  }
  if (step == Step::kLast && pass.finish() == Step::kLast) {
    line_start_ = 0;
    in_fields_ = false;
    connection_ = 0;
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
