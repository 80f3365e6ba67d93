#include "http/head_pass.h"

#include <string>
#include <utility>

#include "http/byte_class.h"
#include "http/field_syntax.h"
#include "http/folded_name.h"
#include "http/head_scanner.h"
#include "http/known_names.h"
#include "http/url.h"

namespace perigee::http {
namespace {

using byte_scan::find_end;

constexpr FoldedName kKeepAlive("keep-alive");
constexpr FoldedName kClose("close");
constexpr FoldedName kUpgrade("upgrade");
constexpr FoldedName kChunked("chunked");

constexpr bool is_at_most_space(char byte) {
  return static_cast<unsigned char>(byte) <= ' ';
}

std::uint8_t connection_option_of(std::string_view token) {
  if (kKeepAlive.equals(token)) {
    return HeadPass::kKeepAliveOption;
  }
  if (kClose.equals(token)) {
    return HeadPass::kCloseOption;
  }
  return kUpgrade.equals(token) ? HeadPass::kUpgradeOption : 0;
}

bool is_known_but_for_case(std::string_view token) {
  for (int i = 0; i < static_cast<int>(Method::kExtension); ++i) {
    if (equal_fold(token, method_name(static_cast<Method>(i)))) {
      return true;
    }
  }
  return false;
}

}  // namespace

const char* find_token_end(const char* at, const char* end) {
  while (at != end && is_byte(*at, kTokenByte)) {
    ++at;
  }
  return at;
}

std::string_view trim(const char* begin, const char* end) {
  while (is_at_most_space(end[-1])) {
    --end;
  }
  while (begin < end && is_at_most_space(*begin)) {
    ++begin;
  }
  return {begin, static_cast<std::size_t>(end > begin ? end - begin : 0)};
}

// Refusals. A line is refused for its length first, so that the verdict does not depend on how much of it is there.

HeadPass::Step HeadPass::refuse(int status, const char* reason) {
  status_ = status;
  reason_ = reason;
  return Step::kRefused;
}

HeadPass::Step HeadPass::too_long() {
  return in_fields_ ? refuse(431, "a header line is too long") : refuse(414, "the request line is too long");
}

/// Refuses the line because of what is known once the byte at `at` is.
HeadPass::Step HeadPass::refuse_line(const char* at, int status, const char* reason) {
  const std::uint32_t limit = in_fields_ ? limits_.field_line : limits_.request_line;
  return at - line_ > std::int64_t{limit} ? too_long() : refuse(status, reason);
}

HeadPass::Step HeadPass::refuse_byte(const char* at, const char* reason) {
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
HeadPass::Step HeadPass::more(const char* at) {
  const std::uint32_t limit = in_fields_ ? limits_.field_line : limits_.request_line;
  return at - line_ > std::int64_t{limit} ? too_long() : Step::kMore;
}

/// The bytes of some class end at `at`, too early: at the end of all bytes, or at one that does not belong.
HeadPass::Step HeadPass::stopped(const char* at, const char* reason) {
  return at == end_ ? more(at) : refuse_byte(at, reason);
}

// The request line (RFC 9112 section 3).

HeadPass::Step HeadPass::skip_empty_lines() {
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

HeadPass::Step HeadPass::read_odd_version(const char* at) {
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

HeadPass::Step HeadPass::decode() {
  Result<std::string> path = decode_path(head_.text(head_.raw_path));
  if (!path) {
    return refuse(400, "the path is malformed, or climbs above the root");
  }
  head_.path_is_raw = false;
  head_.decoded_path = std::move(*path);
  return Step::kNext;
}

/// Any form but the origin form, and extension methods.
HeadPass::Step HeadPass::read_odd_target(std::string_view target) {
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
HeadPass::Step HeadPass::read_absolute_form(std::string_view target, std::size_t from) {
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

HeadPass::FieldName HeadPass::read_odd_name() const {
  const char* stop = find_token_end(find_end<byte_scan::NameBytes>(range_, line_), end_);
  if (stop == end_ || *stop != ':') {
    return {stop, KnownField::kCount};
  }
  return {stop, known_names::find({line_, static_cast<std::size_t>(stop - line_)})};
}

/// Goes on where a value has an HTAB.
const char* HeadPass::find_odd_value_end(const char* at) const {
  while (at != end_ && *at == '\t') {
    at = find_end<byte_scan::ValueBytes>(range_, at + 1);
  }
  return at;
}

HeadPass::Step HeadPass::read_connection(std::string_view value) {
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

HeadPass::Step HeadPass::read_content_length(std::string_view value) {
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
HeadPass::Step HeadPass::read_transfer_encoding(std::string_view value) {
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
HeadPass::Step HeadPass::read_expect(std::string_view value) {
  if (!equal_fold(value, "100-continue")) {
    return refuse(417, "no expectation but 100-continue is known");
  }
  head_.expect_continue = head_.minor_version == 1;
  return Step::kNext;
}

/// Whether an Upgrade field names a protocol.
bool HeadPass::names_upgrade() const {
  std::uint16_t index = head_.known[static_cast<std::size_t>(KnownField::kUpgrade)];
  while (index != RequestHead::kAbsent && head_.fields[index].value.size == 0) {
    index = head_.find("upgrade", static_cast<std::uint16_t>(index + 1));
  }
  return index != RequestHead::kAbsent;
}

}  // namespace perigee::http
