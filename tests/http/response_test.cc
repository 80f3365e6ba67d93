#include "http/response.h"

#include <catch2/catch.hpp>
#include <string>

using perigee::BufferPool;
using perigee::ByteBuffer;
using perigee::http::append_chunk;
using perigee::http::append_last_chunk;
using perigee::http::Framing;
using perigee::http::http_date;
using perigee::http::Persistence;
using perigee::http::reason_phrase;
using perigee::http::ResponseHead;
using perigee::http::ResponseSerializer;

namespace {

constexpr std::time_t kTime = 784111777;
const std::string kCommon = "Server: perigee\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n";

std::string head_of(const ResponseHead& head) {
  BufferPool pool;
  ByteBuffer out(pool);
  ResponseSerializer serializer;
  serializer.set_time(kTime);
  serializer.append_head(out, head);
  return std::string(out.readable());
}

}  // namespace

TEST_CASE("response: a plain 200 has status, server, date, type and length") {
  BufferPool pool;
  ByteBuffer out(pool);
  ResponseSerializer serializer;
  serializer.set_time(kTime);
  ResponseHead head;
  head.content_type = "text/plain; charset=utf-8";
  head.length = 5;
  serializer.append(out, head, "hello");
  CHECK(out.readable() ==
        "HTTP/1.1 200 OK\r\n" + kCommon + "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 5\r\n\r\nhello");
}

TEST_CASE("response: a usual answer is written byte for byte as any other") {
  const bool is_text = GENERATE(true, false);
  const std::string fields = GENERATE("", "X-A: b\r\n", "X-A: b\r\nETag: \"c\"\r\n");
  const std::size_t size = GENERATE(0U, 9U, 10U, 99U, 100U, 70'000U);
  const std::string body(size, 'b');
  BufferPool pool;
  ByteBuffer usual(pool);
  ByteBuffer out(pool);
  ResponseSerializer serializer;
  serializer.set_time(kTime);
  ResponseHead head;
  head.content_type = is_text ? perigee::http::kPlainText : perigee::http::kJsonType;
  head.fields = fields;
  head.length = size;
  serializer.append(out, head, body);
  serializer.append_usual(usual, is_text, fields, body);
  CHECK((usual.readable() == out.readable()));
}

TEST_CASE("response: every status has its line, unknown ones too") {
  ResponseHead head;
  head.framing = Framing::kNone;
  head.status = 404;
  CHECK(head_of(head) == "HTTP/1.1 404 Not Found\r\n" + kCommon + "\r\n");
  head.status = 299;
  CHECK(head_of(head) == "HTTP/1.1 299 Unknown\r\n" + kCommon + "\r\n");
  head.status = 511;
  CHECK(head_of(head) == "HTTP/1.1 511 Network Authentication Required\r\n" + kCommon + "\r\n");
}

TEST_CASE("response: framing and persistence write their fields and no others") {
  ResponseHead head;
  head.framing = Framing::kChunked;
  CHECK(head_of(head) == "HTTP/1.1 200 OK\r\n" + kCommon + "Transfer-Encoding: chunked\r\n\r\n");
  head.framing = Framing::kClose;
  head.persistence = Persistence::kClose;
  CHECK(head_of(head) == "HTTP/1.1 200 OK\r\n" + kCommon + "Connection: close\r\n\r\n");
  head.framing = Framing::kLength;
  head.length = UINT64_MAX;
  head.persistence = Persistence::kKeepAlive;
  head.fields = "X-A: b\r\nX-C: d\r\n";
  CHECK(head_of(head) ==
        "HTTP/1.1 200 OK\r\n" + kCommon +
            "Content-Length: 18446744073709551615\r\nConnection: keep-alive\r\nX-A: b\r\nX-C: d\r\n\r\n");
}

TEST_CASE("response: the date is renewed when the time changes") {
  BufferPool pool;
  ByteBuffer out(pool);
  ResponseSerializer serializer;
  serializer.set_time(kTime);
  serializer.set_time(kTime + 1);
  serializer.append_head(out, {});
  CHECK_THAT(std::string(out.readable()), Catch::Contains("08:49:38 GMT"));
}

TEST_CASE("response: chunks carry their size, an empty one is not written") {
  BufferPool pool;
  ByteBuffer out(pool);
  append_chunk(out, "hello");
  append_chunk(out, "");
  append_chunk(out, std::string(255, 'x'));
  append_last_chunk(out);
  CHECK(out.readable() == "5\r\nhello\r\nff\r\n" + std::string(255, 'x') + "\r\n0\r\n\r\n");
}

TEST_CASE("response: statuses that forbid a body are 1xx, 204 and 304") {
  CHECK(perigee::http::status_forbids_body(100));
  CHECK(perigee::http::status_forbids_body(204));
  CHECK(perigee::http::status_forbids_body(304));
  CHECK_FALSE(perigee::http::status_forbids_body(200));
  CHECK_FALSE(perigee::http::status_forbids_body(404));
}

TEST_CASE("response: dates are fixed-width and in GMT") {
  CHECK(http_date(0) == "Thu, 01 Jan 1970 00:00:00 GMT");
  CHECK(http_date(kTime) == "Sun, 06 Nov 1994 08:49:37 GMT");
  CHECK(http_date(4102444799) == "Thu, 31 Dec 2099 23:59:59 GMT");
}

TEST_CASE("response: reason phrases are those of the registry") {
  CHECK(reason_phrase(200) == "OK");
  CHECK(reason_phrase(413) == "Content Too Large");
  CHECK(reason_phrase(422) == "Unprocessable Content");
  CHECK(reason_phrase(999) == "Unknown");
}
