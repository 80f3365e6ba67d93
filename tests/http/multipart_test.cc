#include "http/multipart.h"

#include <catch2/catch.hpp>
#include <vector>

using perigee::http::MultipartParser;
using perigee::http::MultipartPart;
using State = MultipartParser::State;

namespace {

/// Writes down what is found: "<name|filename|type>content</>".
class Notes final : public perigee::http::MultipartSink {
 public:
  bool begin_part(MultipartPart part) override {
    text += "<" + part.name + "|" + part.filename.value_or("-") + "|" + part.type + ">";
    return calls_left-- > 0;
  }
  bool part_bytes(std::string_view bytes) override {
    text += bytes;
    return calls_left-- > 0;
  }
  bool end_part() override {
    text += "</>";
    return calls_left-- > 0;
  }
  std::string text;
  int calls_left = 1'000'000;
};

struct Parsed {
  State state = State::kReading;
  std::string text;
  std::string reason;
};

Parsed parse(std::string_view body, std::size_t step = 1'000'000, std::size_t most = 1000) {
  Notes notes;
  MultipartParser parser("AaB03x", most, notes);
  for (std::size_t at = 0; at < body.size(); at += step) {
    parser.feed(body.substr(at, step));
  }
  Parsed parsed;
  parsed.state = parser.finish();
  parsed.text = notes.text;
  parsed.reason = parser.reason();
  return parsed;
}

std::string part(const std::string& fields, const std::string& content) {
  return "--AaB03x\r\n" + fields + "\r\n\r\n" + content + "\r\n";
}

std::string named(const std::string& name, const std::string& content) {
  return part("Content-Disposition: form-data; name=\"" + name + "\"", content);
}

const std::string kEnd = "--AaB03x--\r\n";

}  // namespace

TEST_CASE("multipart: fields and files with their names, types and bytes") {
  const std::string body =
      named("a", "1") +
      part("content-disposition: form-data; name=\"f\"; filename=\"x.png\"\r\nContent-Type: image/png",
           "\r\n--\0\xff") +
      named("empty", "") + kEnd;
  const Parsed parsed = parse(body);
  CHECK(parsed.state == State::kDone);
  CHECK(parsed.text == "<a|-|text/plain>1</><f|x.png|image/png>\r\n--</><empty|-|text/plain></>");
}

TEST_CASE("multipart: nothing depends on where the body is cut, and every truncation is refused") {
  const std::string body = "preamble\r\n" + named("a", "\r\n--AaB03\r\n-\r\r\n--AaB03") +
                           part("Content-Disposition: form-data; name=f; filename=x", std::string("\0\r", 2)) +
                           "--AaB03x \t\r\nContent-Disposition: form-data; name=none\r\n\r\n--AaB03x-- \r\nepilogue";
  const Parsed whole = parse(body);
  REQUIRE(whole.state == State::kDone);
  for (std::size_t step = 1; step < 40; ++step) {
    const Parsed cut = parse(body, step);
    REQUIRE(cut.state == State::kDone);
    REQUIRE(cut.text == whole.text);
  }
  const std::size_t last = body.find("--AaB03x--") + 10;
  for (std::size_t size = 0; size < body.size(); ++size) {
    REQUIRE(parse(body.substr(0, size)).state == (size < last ? State::kRefused : State::kDone));
    REQUIRE(parse(body.substr(0, size), 1).state == (size < last ? State::kRefused : State::kDone));
  }
}

TEST_CASE("multipart: what looks like the boundary in a part is content") {
  const char* const content = GENERATE("--AaB03x", "\r\n--AaB03", "\r\n--aab03x", "x--AaB03x--", "\n--AaB03x",
                                       "\r--AaB03x", "\r\n-\r\n--\r\n--A\r", "\r\r\r\n--");
  INFO(content);
  const std::string body = named("a", std::string("!") + content) + kEnd;
  CHECK(parse(body).text == "<a|-|text/plain>!" + std::string(content) + "</>");
  CHECK(parse(body, 1).text == "<a|-|text/plain>!" + std::string(content) + "</>");
}

TEST_CASE("multipart: a form without parts is one") {
  CHECK(parse("--AaB03x--").state == State::kDone);
  CHECK(parse("--AaB03x--\r\n").text.empty());
}

TEST_CASE("multipart: the name of a file is no path, and the extended one wins") {
  const std::pair<std::string, std::string> table[] = {
      {R"(filename="../../etc/passwd")", "passwd"},
      {R"(filename="C:\Users\a\b.txt")", "b.txt"},
      {R"(filename="..")", ""},
      {R"(filename="")", ""},
      {R"(filename=plain)", "plain"},
      {R"(filename="a\"b")", "a\"b"},
      {R"(filename="plain"; filename*=UTF-8''na%C3%AFve)", "na\xC3\xAFve"},
      {R"(filename*=UTF-8''..%2F..%2Fx)", "x"},
      {R"(filename="plain"; filename*=UTF-16''x)", "plain"},
      {R"(filename*=UTF-16''x)", ""},
      {R"(filename*=UTF-8''a%00b)", ""}};
  for (const auto& [sent, kept] : table) {
    INFO(sent);
    CHECK(parse(part("Content-Disposition: form-data; name=f; " + sent, "") + kEnd).text ==
          "<f|" + kept + "|text/plain></>");
  }
}

TEST_CASE("multipart: what is malformed is refused, however it is cut") {
  const std::string disposition = "Content-Disposition: form-data; name=a";
  const std::string table[] = {
      "",
      "no boundary at all",
      "--AaB03x",
      "--AaB03x-",
      "--AaB03x-x",
      "--AaB03x\n",
      "--AaB03x\rx",
      "--AaB03xy\r\n",
      "--AaB03x--garbage",
      part("", "no header") + kEnd,
      part("X: y", "no disposition") + kEnd,
      part("Content-Disposition: attachment; name=a", "") + kEnd,
      part("Content-Disposition: form-data", "") + kEnd,
      part("Content-Disposition: form-data; name=\"a", "") + kEnd,
      part("Content-Disposition: form-data; name=a; name=b", "") + kEnd,
      part(disposition + "\r\n" + disposition, "") + kEnd,
      part(disposition + "\r\nContent-Type: multipart/mixed; boundary=x", "") + kEnd,
      part(disposition + "\r\nContent-Type: Multipart/Form-Data", "") + kEnd,
      part(disposition + "\r\nContent-Type: text", "") + kEnd,
      part(disposition + "\r\nContent-Type: ", "") + kEnd,
      part(disposition + "\r\nContent-Transfer-Encoding: base64", "YQ==") + kEnd,
      part(disposition + "\r\n folded", "") + kEnd,
      part(disposition + "\r\nno colon", "") + kEnd,
      part(disposition + "\r\nspace : x", "") + kEnd,
      part(disposition + "\r\n: x", "") + kEnd,
      part(disposition + "\r\nX: a\rb", "") + kEnd,
      part(disposition + "\r\nX: " + std::string(1, '\0'), "") + kEnd,
      part(disposition + "\r\nX: a\nY: b", "") + kEnd,
      named("a", "1") + "--AaB03xx--\r\n",
      named("a", "1"),
      std::string(5000, 'x') + "\r\n" + kEnd,
      kEnd + std::string(5000, 'x'),
      part(disposition + "\r\nX: " + std::string(9000, 'y'), "") + kEnd,
      "--AaB03x" + std::string(9000, ' ') + "\r\n" + disposition + "\r\n\r\n\r\n" + kEnd,
  };
  for (const std::string& body : table) {
    INFO(body.substr(0, 200));
    const Parsed whole = parse(body);
    CHECK(whole.state == State::kRefused);
    CHECK_FALSE(whole.reason.empty());
    for (const std::size_t step : {1, 2, 3, 7}) {
      const Parsed cut = parse(body, step);
      CHECK(cut.state == State::kRefused);
      CHECK(cut.reason == whole.reason);
    }
  }
}

TEST_CASE("multipart: header lines within the bound pass, and the encodings that change nothing") {
  const std::string disposition = "Content-Disposition: form-data; name=a";
  CHECK(parse(part(disposition + "\r\nX: " + std::string(8000, 'y'), "v") + kEnd).state == State::kDone);
  for (const char* same : {"7bit", "8BIT", "binary"}) {
    CHECK(parse(part(disposition + "\r\nContent-Transfer-Encoding: " + same, "v") + kEnd).state == State::kDone);
  }
}

TEST_CASE("multipart: as many parts as allowed and not one more") {
  std::string body;
  for (int i = 0; i < 1000; ++i) {
    body += named("a", "1");
  }
  CHECK(parse(body + kEnd).state == State::kDone);
  CHECK(parse(body + named("a", "1") + kEnd).state == State::kTooMany);
  CHECK(parse(body + named("a", "1") + kEnd, 3).state == State::kTooMany);
}

TEST_CASE("multipart: the sink may stop it anywhere") {
  const std::string body = named("a", "1") + named("b", "2") + kEnd;
  for (int calls = 0; calls < 6; ++calls) {
    Notes notes;
    notes.calls_left = calls;
    MultipartParser parser("AaB03x", 10, notes);
    CHECK(parser.feed(body) == State::kStopped);
    CHECK(notes.calls_left == -1);
    CHECK(parser.finish() == State::kStopped);
  }
}

TEST_CASE("multipart: the boundary is what a Content-Type names") {
  CHECK(*MultipartParser::boundary_of("multipart/form-data; boundary=AaB03x") == "AaB03x");
  CHECK(*MultipartParser::boundary_of("Multipart/Form-Data; charset=utf-8; Boundary=\"a b'()+_,-./:=?\"") ==
        "a b'()+_,-./:=?");
  const std::string seventy(70, 'x');
  CHECK(MultipartParser::boundary_of("multipart/form-data; boundary=" + seventy));
  for (const std::string& wrong :
       {std::string("multipart/form-data"), std::string("multipart/mixed; boundary=x"), std::string("text/plain"),
        std::string("multipart/form-data; boundary="), std::string("multipart/form-data; boundary=\"\""),
        std::string("multipart/form-data; boundary=\"a \""), std::string("multipart/form-data; boundary=\"a\\\"b\""),
        std::string("multipart/form-data; boundary=\"\xC3\xA4\""),
        std::string("multipart/form-data; boundary=a; boundary=b"), "multipart/form-data; boundary=" + seventy + "x"}) {
    INFO(wrong);
    CHECK_FALSE(MultipartParser::boundary_of(wrong));
  }
}
