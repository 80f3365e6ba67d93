// HeadScanner against itself, cut otherwise, and against http-parser: what the scanner accepts http-parser accepts too,
// with the same framing. Where http-parser is laxer it does not matter; where it is stricter or reads otherwise, the
// reason stands in kExceptions.

#include <http_parser.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "fuzz_check.h"
#include "http/field_syntax.h"
#include "http/head_scanner.h"
#include "http/url.h"

using perigee::fuzz::check;
using perigee::fuzz::ExactCopy;
using perigee::fuzz::lies_within;
using perigee::http::equal_fold;
using perigee::http::HeadLimits;
using perigee::http::HeadScanner;
using perigee::http::KnownField;
using perigee::http::Method;
using perigee::http::RequestHead;
using Verdict = HeadScanner::Verdict;

namespace {

/// What http-parser makes of a head.
struct Reading {
  bool accepted = false;
  std::string error;
  unsigned method = 0;
  unsigned major = 0;
  unsigned minor = 0;
  std::uint64_t content_length = 0;
  bool chunked = false;
  bool keep_alive = false;
  bool upgrade = false;
};

/// Which of http-parser's findings an exception takes out of the comparison.
enum Aspect : unsigned { kVerdict = 1, kKeepAlive = 2, kUpgrade = 4 };

bool has_field(const RequestHead& head, std::string_view name) {
  return head.find(name) != RequestHead::kAbsent;
}

/// The value of a field with the white space behind it, as received.
bool has_tab_behind(const RequestHead& head, KnownField slot) {
  for (std::uint16_t i = 0; i < head.field_count; ++i) {
    const std::string_view value = head.text(head.fields[i].value);
    const char* end = value.data() + value.size();
    if (equal_fold(head.text(head.fields[i].name),
                   slot == KnownField::kContentLength ? "content-length" : "connection")) {
      for (; *end == ' ' || *end == '\t'; ++end) {
        if (*end == '\t') {
          return true;
        }
      }
    }
  }
  return false;
}

bool begins_with_transfer_encoding(const RequestHead& head) {
  constexpr std::string_view kName = "transfer-encoding";
  for (std::uint16_t i = 0; i < head.field_count; ++i) {
    const std::string_view name = head.text(head.fields[i].name);
    if (name.size() > kName.size() && equal_fold(name.substr(0, kName.size()), kName)) {
      return true;
    }
  }
  return false;
}

struct Exception {
  unsigned aspects;
  bool (*applies)(const RequestHead& head);
  const char* reason;
};

const std::array<Exception, 6> kExceptions = {
    {{kUpgrade, [](const RequestHead& head) { return head.method == Method::kConnect; },
      "http-parser calls every CONNECT an upgrade"},
     {kUpgrade, [](const RequestHead& head) { return head.minor_version == 0; },
      "RFC 9110 section 7.8: an Upgrade in a 1.0 request is ignored"},
     {kKeepAlive, [](const RequestHead& head) { return head.minor_version == 0 && !head.keep_alive; },
      "of a 1.0 client that says both keep-alive and close, we believe close"},
     {kKeepAlive | kUpgrade, [](const RequestHead& head) { return has_field(head, "proxy-connection"); },
      "http-parser reads Proxy-Connection as if it were Connection"},
     {kVerdict, begins_with_transfer_encoding,
      "http-parser takes a name that only begins with Transfer-Encoding for it, and then minds a Content-Length"},
     {kVerdict, [](const RequestHead& head) { return has_tab_behind(head, KnownField::kContentLength); },
      "RFC 9110 section 5.5: HTAB behind a value is white space, which http-parser refuses behind a length"}}};

unsigned excepted(const RequestHead& head) {
  unsigned aspects = 0;
  for (const Exception& exception : kExceptions) {
    aspects |= exception.applies(head) ? exception.aspects : 0;
  }
  return aspects;
}

int on_headers_complete(http_parser* parser) {
  auto& reading = *static_cast<Reading*>(parser->data);
  reading.accepted = true;
  reading.method = parser->method;
  reading.major = parser->http_major;
  reading.minor = parser->http_minor;
  reading.content_length = parser->content_length;
  reading.chunked = (parser->flags & F_CHUNKED) != 0;
  reading.keep_alive = http_should_keep_alive(parser) != 0;
  reading.upgrade = parser->upgrade != 0;
  return 0;
}

Reading read_by_http_parser(std::string_view head) {
  Reading reading;
  http_parser parser;
  http_parser_settings settings;
  http_parser_settings_init(&settings);
  settings.on_headers_complete = on_headers_complete;
  http_parser_init(&parser, HTTP_REQUEST);
  parser.data = &reading;
  const std::size_t read = http_parser_execute(&parser, &settings, head.data(), head.size());
  reading.error = http_errno_name(HTTP_PARSER_ERRNO(&parser));
  reading.accepted = reading.accepted && read == head.size() && HTTP_PARSER_ERRNO(&parser) == HPE_OK;
  return reading;
}

struct Outcome {
  Verdict verdict = Verdict::kIncomplete;
  int status = 0;
  std::string reason;
  std::uint32_t size = 0;
  bool operator==(const Outcome& other) const {
    return verdict == other.verdict && status == other.status && reason == other.reason && size == other.size;
  }
};

Outcome scan_by(std::string_view bytes, std::size_t step, const HeadLimits& limits, RequestHead& head,
                perigee::http::HeadMemo* memo = nullptr) {
  HeadScanner scanner;
  Outcome outcome;
  for (std::size_t size = 0; outcome.verdict == Verdict::kIncomplete && size < bytes.size();) {
    size = std::min(bytes.size(), size + step);
    const ExactCopy copy(bytes.substr(0, size));
    outcome.verdict = scanner.scan(copy.data(), size, limits, head, memo);
  }
  if (outcome.verdict == Verdict::kRefused) {
    outcome.status = scanner.status();
    outcome.reason = scanner.reason();
  }
  outcome.size = outcome.verdict == Verdict::kComplete ? head.size : 0;
  head.base = bytes.data();
  return outcome;
}

bool same(perigee::Span a, perigee::Span b) {
  return a.size == b.size && (a.size == 0 || a.offset == b.offset);
}

void check_same(const RequestHead& one, const RequestHead& other) {
  check(same(one.host, other.host) && same(one.target, other.target) && same(one.query, other.query),
        "target, query and host are the same");
  check(one.content_length == other.content_length && one.chunked == other.chunked && one.upgrade == other.upgrade &&
            one.keep_alive == other.keep_alive && one.expect_continue == other.expect_continue,
        "what the fields mean is the same");
  check(one.field_count == other.field_count && one.known == other.known, "the fields are the same");
  for (std::uint16_t i = 0; i < one.field_count; ++i) {
    check(same(one.fields[i].name, other.fields[i].name) && same(one.fields[i].value, other.fields[i].value),
          "each field is the same");
  }
}

/// What a memo knows of heads before, of other inputs too, makes no difference.
void check_with_memo(std::string_view bytes, const Outcome& expected, const RequestHead& head, RequestHead& other) {
  static perigee::http::HeadMemo memo;
  for (int i = 0; i < 2; ++i) {
    check(scan_by(bytes, bytes.size(), HeadLimits(), other, &memo) == expected, "a memo does not change the verdict");
    if (expected.verdict == Verdict::kComplete) {
      check_same(head, other);
    }
  }
}

void check_spans(const RequestHead& head) {
  const std::string_view bytes(head.base, head.size);
  check(lies_within(head.text(head.method_text), bytes), "the method lies within the head");
  check(lies_within(head.text(head.host), bytes), "the host lies within the head");
  check(lies_within(head.text(head.query), bytes), "the query lies within the head");
  for (std::uint16_t i = 0; i < head.field_count; ++i) {
    check(perigee::http::is_token(head.text(head.fields[i].name)), "a name is a token");
    check(perigee::http::is_field_value(head.text(head.fields[i].value)), "a value is a field value");
    check(lies_within(head.text(head.fields[i].value), bytes), "a value lies within the head");
  }
}

void check_path(const RequestHead& head) {
  if (head.path() == "*" || head.method == Method::kConnect) {
    return;
  }
  const auto path = perigee::http::decode_path(head.text(head.raw_path));
  check(path.has_value() && *path == head.path(), "the path is the raw path decoded");
}

/// http-parser knows a list of methods; another one, which does not bear on the rest, is replaced by one it knows.
std::string with_known_method(const RequestHead& head) {
  std::string bytes(head.base, head.size);
  if (head.method == Method::kExtension) {
    bytes.replace(head.method_text.offset, head.method_text.size, "POST");
  }
  return bytes;
}

void check_against_http_parser(const RequestHead& head) {
  const unsigned aspects = excepted(head);
  const Reading reading = read_by_http_parser(with_known_method(head));
  if (!reading.accepted && (aspects & kVerdict) != 0) {
    return;
  }
  check(reading.accepted, ("http-parser accepts it too: " + reading.error).c_str());
  check(head.method == Method::kExtension ||
            http_method_str(static_cast<http_method>(reading.method)) == head.text(head.method_text),
        "the method is the same");
  check(reading.major == 1 && reading.minor == static_cast<unsigned>(head.minor_version), "the version is the same");
  check(reading.chunked == head.chunked, "both see chunks or neither does");
  check(head.chunked || head.content_length < 0 ||
            reading.content_length == static_cast<std::uint64_t>(head.content_length),
        "the length is the same");
  check((aspects & kKeepAlive) != 0 || reading.keep_alive == head.keep_alive, "keep-alive is the same");
  check((aspects & kUpgrade) != 0 || reading.upgrade == head.upgrade, "the upgrade is the same");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto head = std::make_unique<RequestHead>();
  static const auto other = std::make_unique<RequestHead>();
  const std::string_view bytes = perigee::fuzz::text_of(data, size);
  HeadLimits narrow;
  narrow.request_line = 40;
  narrow.field_line = 30;
  narrow.total = 120;
  narrow.fields = 4;
  check_with_memo(bytes, scan_by(bytes, bytes.size(), HeadLimits(), *head), *head, *other);
  for (const HeadLimits& limits : {HeadLimits(), narrow}) {
    const Outcome whole = scan_by(bytes, bytes.size(), limits, *head);
    for (const std::size_t step : {std::size_t{1}, std::size_t{2}, std::size_t{7}, std::size_t{17}}) {
      check(scan_by(bytes, step, limits, *other) == whole, "the verdict does not depend on the cuts");
      check(whole.verdict != Verdict::kComplete || other->path() == head->path(), "nor does the path");
    }
    if (whole.verdict == Verdict::kComplete) {
      check_spans(*head);
      check_path(*head);
      check_against_http_parser(*head);
    }
  }
  return 0;
}
