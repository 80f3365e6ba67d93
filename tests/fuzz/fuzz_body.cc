// BodyFramer against itself, cut otherwise, and against http-parser alone. The first byte of the input says how the
// body is framed: below 128 by that length, else in chunks.

#include <http_parser.h>

#include <memory>
#include <string>

#include "fuzz_check.h"
#include "http/body_framer.h"
#include "http/head_scanner.h"

using perigee::fuzz::check;
using perigee::http::BodyFramer;
using perigee::http::HeadScanner;
using perigee::http::RequestHead;
using State = BodyFramer::State;

namespace {

struct Framed {
  State state = State::kReading;
  std::size_t size = 0;
  std::string body;
  std::string reason;
  bool operator==(const Framed& other) const {
    const bool same_size = size == other.size || state == State::kRefused;
    return state == other.state && same_size && body == other.body && reason == other.reason;
  }
};

bool append(void* body, std::string_view bytes) {
  static_cast<std::string*>(body)->append(bytes);
  return true;
}

Framed frame_by(const RequestHead& head, std::string_view body, std::size_t step) {
  Framed framed;
  BodyFramer framer;
  check(framer.begin(head, append, &framed.body) == State::kReading, "an honest head begins a body");
  while (framed.size < body.size() && framed.state == State::kReading) {
    const perigee::fuzz::ExactCopy copy(body.substr(framed.size, step));
    framed.size += framer.feed(copy.view());
    framed.state = framer.state();
  }
  framed.reason = framer.reason();
  return framed;
}

/// What http-parser alone makes of a whole message.
struct Reading {
  std::string body;
  bool complete = false;
  bool error = false;
};

int on_body(http_parser* parser, const char* at, std::size_t size) {
  static_cast<Reading*>(parser->data)->body.append(at, size);
  return 0;
}

int on_message_complete(http_parser* parser) {
  static_cast<Reading*>(parser->data)->complete = true;
  return 0;
}

Reading read_by_http_parser(const std::string& message) {
  Reading reading;
  http_parser parser;
  http_parser_settings settings;
  http_parser_settings_init(&settings);
  settings.on_body = on_body;
  settings.on_message_complete = on_message_complete;
  http_parser_init(&parser, HTTP_REQUEST);
  parser.data = &reading;
  http_parser_execute(&parser, &settings, message.data(), message.size());
  reading.error = HTTP_PARSER_ERRNO(&parser) != HPE_OK;
  return reading;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || data[0] == 0) {
    return 0;
  }
  static const auto head = std::make_unique<RequestHead>();
  const std::string framing =
      data[0] < 128 ? "Content-Length: " + std::to_string(data[0]) : std::string("Transfer-Encoding: chunked");
  const std::string head_bytes = "POST / HTTP/1.1\r\nHost: a\r\n" + framing + "\r\n\r\n";
  HeadScanner scanner;
  check(scanner.scan(head_bytes.data(), head_bytes.size(), {}, *head) == HeadScanner::Verdict::kComplete,
        "the head is whole");
  const std::string_view body = perigee::fuzz::text_of(data + 1, size - 1);
  const Framed whole = frame_by(*head, body, body.size() + 1);
  for (const std::size_t step : {std::size_t{1}, std::size_t{2}, std::size_t{5}, std::size_t{33}}) {
    check(frame_by(*head, body, step) == whole, "verdict and body do not depend on the cuts");
  }
  check(whole.state == State::kRefused || whole.size <= body.size(), "no more is taken than was given");
  if (whole.state != State::kRefused) {
    const Reading reading = read_by_http_parser(head_bytes + std::string(body.substr(0, whole.size)));
    check(!reading.error, "http-parser accepts it too");
    check(reading.complete == (whole.state == State::kDone), "both see the end or neither does");
    check(reading.body == whole.body, "the body is the same");
  }
  return 0;
}
