#include "server/answer_writer.h"

#include "served_visit.h"

using perigee::script::Answer;
using perigee::server::AnswerWriter;

namespace {

std::string request(const std::string& method, const std::string& version, const std::string& fields = "") {
  return method + " / HTTP/" + version + "\r\nHost: h\r\n" + fields + "\r\n";
}

// The head that both ways of writing share, for the epoch.
std::string head(const std::string& status, const std::string& fields) {
  return "HTTP/1.1 " + status + "\r\nServer: perigee\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n" + fields + "\r\n";
}

// Fields in no promised order, so: whether the head has each of them, and no other of its name.
bool has_field(const std::string& text, const std::string& line) {
  const std::size_t end = text.find("\r\n\r\n");
  const std::string name = line.substr(0, line.find(':') + 1);
  const std::size_t at = text.find("\r\n" + name);
  return at < end && text.compare(at + 2, line.size() + 2, line + "\r\n") == 0 &&
         text.find("\r\n" + name, at + 2) >= end;
}

bool lacks_field(const std::string& text, const std::string& name) {
  return text.find("\r\n" + name + ":") >= text.find("\r\n\r\n");
}

std::string body_of(const std::string& text) {
  return text.substr(text.find("\r\n\r\n") + 4);
}

}  // namespace

TEST_CASE("answer writer: a whole answer has its length, type, fields and cookies") {
  ServedVisit served(request("GET", "1.1"));
  AnswerWriter writer;
  served.visit.answer.body = "hello";
  served.visit.answer.content_type = "text/plain";
  served.visit.answer.fields.append("X-A: b\r\n");
  served.visit.answer.cookies = "Set-Cookie: a=b\r\nSet-Cookie: c=d\r\n";
  writer.write_whole(served.visit);
  const std::string text = served.written();
  CHECK(text.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(has_field(text, "Content-Length: 5"));
  CHECK(has_field(text, "Content-Type: text/plain"));
  CHECK(has_field(text, "X-A: b"));
  CHECK(text.find("\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\n") != std::string::npos);
  CHECK(lacks_field(text, "Connection"));
  CHECK(body_of(text) == "hello");
  CHECK(served.visit.bytes_sent == 5);
  CHECK_FALSE(served.visit.close_after);
}

TEST_CASE("answer writer: a usual answer takes fields, and gives way where there is more to say") {
  const auto [method, version, cookies, expected] = GENERATE(table<std::string, std::string, std::string, std::string>({
      {"GET", "1.1", "", "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 5\r\nX-A: b\r\n\r\nhello"},
      {"HEAD", "1.1", "", "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 5\r\nX-A: b\r\n\r\n"},
      {"GET", "1.0", "",
       "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 5\r\nConnection: close\r\nX-A: b\r\n\r\nhello"},
      {"GET", "1.1", "Set-Cookie: a=b\r\n",
       "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 5\r\nX-A: b\r\nSet-Cookie: a=b\r\n\r\nhello"},
  }));
  ServedVisit served(request(method, version));
  AnswerWriter writer;
  served.visit.answer.body = "hello";
  served.visit.answer.content_type = perigee::http::kPlainText;
  served.visit.answer.fields.append("X-A: b\r\n");
  served.visit.answer.cookies = cookies;
  writer.write_whole(served.visit);
  const std::string start = head("200 OK", "");
  CHECK(served.written() == start.substr(0, start.size() - 2) + expected);
  CHECK(served.visit.bytes_sent == (method == "HEAD" ? 0 : 5));
}

TEST_CASE("answer writer: persistence follows version, request and what the server wants") {
  const auto [version, fields, closing, connection] = GENERATE(table<std::string, std::string, bool, std::string>({
      {"1.1", "", false, ""},
      {"1.1", "Connection: close\r\n", false, "Connection: close"},
      {"1.1", "", true, "Connection: close"},
      {"1.0", "", false, "Connection: close"},
      {"1.0", "Connection: keep-alive\r\n", false, "Connection: keep-alive"},
      {"1.0", "Connection: keep-alive\r\n", true, "Connection: close"},
  }));
  ServedVisit served(request("GET", version, fields));
  AnswerWriter writer;
  served.visit.close_after = closing;
  served.visit.answer.body = "x";
  writer.write_whole(served.visit);
  const std::string text = served.written();
  CHECK((connection.empty() ? lacks_field(text, "Connection") : has_field(text, connection)));
  CHECK(served.visit.close_after == (connection == "Connection: close"));
}

TEST_CASE("answer writer: HEAD gets the head that GET would, and no body") {
  ServedVisit served(request("HEAD", "1.1"));
  AnswerWriter writer;
  served.visit.answer.body = "hello";
  served.visit.answer.content_type = "text/plain";
  writer.write_whole(served.visit);
  CHECK(has_field(served.written(), "Content-Length: 5"));
  CHECK(has_field(served.written(), "Content-Type: text/plain"));
  CHECK(body_of(served.written()).empty());
  CHECK(served.visit.bytes_sent == 0);
}

TEST_CASE("answer writer: statuses that forbid a body have none, nor a length or type") {
  const int status = GENERATE(204, 304);
  ServedVisit served(request("GET", "1.1"));
  AnswerWriter writer;
  served.visit.answer.status = status;
  served.visit.answer.body = "dropped";
  served.visit.answer.content_type = "text/plain";
  served.visit.answer.fields.append("ETag: x\r\n");
  writer.write_whole(served.visit);
  CHECK(lacks_field(served.written(), "Content-Length"));
  CHECK(lacks_field(served.written(), "Content-Type"));
  CHECK(has_field(served.written(), "ETag: x"));
  CHECK(body_of(served.written()).empty());
}

TEST_CASE("answer writer: an empty body has length 0") {
  ServedVisit served(request("GET", "1.1"));
  AnswerWriter writer;
  writer.write_whole(served.visit);
  CHECK(has_field(served.written(), "Content-Length: 0"));
  CHECK(lacks_field(served.written(), "Content-Type"));
}

TEST_CASE("answer writer: a stream is chunked for HTTP/1.1") {
  ServedVisit served(request("GET", "1.1"));
  AnswerWriter writer;
  CHECK(writer.begin_stream(served.visit));
  AnswerWriter::write_part(served.visit, "hello");
  AnswerWriter::write_part(served.visit, "");
  AnswerWriter::write_part(served.visit, std::string(26, 'x'));
  AnswerWriter::end_stream(served.visit);
  CHECK(has_field(served.written(), "Transfer-Encoding: chunked"));
  CHECK(lacks_field(served.written(), "Content-Length"));
  CHECK(body_of(served.written()) == "5\r\nhello\r\n1a\r\n" + std::string(26, 'x') + "\r\n0\r\n\r\n");
  CHECK(served.visit.bytes_sent == 31);
  CHECK_FALSE(served.visit.close_after);
}

TEST_CASE("answer writer: a stream to HTTP/1.0 ends with the connection") {
  ServedVisit served(request("GET", "1.0", "Connection: keep-alive\r\n"));
  AnswerWriter writer;
  CHECK(writer.begin_stream(served.visit));
  AnswerWriter::write_part(served.visit, "hello");
  AnswerWriter::end_stream(served.visit);
  CHECK(lacks_field(served.written(), "Transfer-Encoding"));
  CHECK(lacks_field(served.written(), "Content-Length"));
  CHECK(has_field(served.written(), "Connection: close"));
  CHECK(body_of(served.written()) == "hello");
  CHECK(served.visit.close_after);
}

TEST_CASE("answer writer: nothing may follow a stream's head where no body is wanted") {
  ServedVisit asked(request("HEAD", "1.1"));
  AnswerWriter writer;
  CHECK_FALSE(writer.begin_stream(asked.visit));
  CHECK(body_of(asked.written()).empty());
  ServedVisit empty(request("GET", "1.1"));
  empty.visit.answer.status = 204;
  CHECK_FALSE(writer.begin_stream(empty.visit));
  CHECK(lacks_field(empty.written(), "Transfer-Encoding"));
}

TEST_CASE("answer writer: an answer of no request is written with the time it was told") {
  perigee::BufferPool pool;
  perigee::ByteBuffer out(pool);
  AnswerWriter writer;
  perigee::http::ResponseHead problem;
  problem.status = 503;
  problem.length = 4;
  writer.write(out, problem, "busy");
  CHECK(std::string(out.readable()) == head("503 Service Unavailable", "Content-Length: 4\r\n") + "busy");
  out.release();
  writer.set_time(784'111'777);
  writer.write(out, problem, "busy");
  CHECK(has_field(std::string(out.readable()), "Date: Sun, 06 Nov 1994 08:49:37 GMT"));
}
