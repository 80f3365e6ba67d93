#include "http/sse.h"

#include <catch2/catch.hpp>

using namespace perigee::http;

namespace {

std::string framed(const SseEvent& event) {
  std::string out;
  (void)append_sse(out, event);
  return out;
}

std::string of_data(std::string_view data) {
  SseEvent event;
  event.data = data;
  return framed(event);
}

}  // namespace

TEST_CASE("sse: data is split where a line ends, however it does") {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"one", "data: one\n\n"},
      {"", "data: \n\n"},
      {" blank", "data:  blank\n\n"},
      {"a\nb", "data: a\ndata: b\n\n"},
      {"a\rb", "data: a\ndata: b\n\n"},
      {"a\r\nb", "data: a\ndata: b\n\n"},
      {"a\n\rb", "data: a\ndata: \ndata: b\n\n"},
      {"a\n", "data: a\ndata: \n\n"},
      {"\r\n", "data: \ndata: \n\n"},
      {"\r\r\n", "data: \ndata: \ndata: \n\n"},
      {"x\r", "data: x\ndata: \n\n"},
      {"data: x\nid: 7", "data: data: x\ndata: id: 7\n\n"},
  };
  for (const auto& [data, expected] : cases) {
    CHECK(of_data(data) == expected);
  }
}

TEST_CASE("sse: type, id and retry stand before the data, each where there is one") {
  CHECK(framed({"x", "tick", "7", 1500}) == "event: tick\nid: 7\nretry: 1500\ndata: x\n\n");
  CHECK(framed({{}, {}, "7"}) == "id: 7\n\n");
  CHECK(framed({{}, {}, {}, 0}) == "retry: 0\n\n");
  CHECK(framed({{}, {}, ""}) == "id: \n\n");
}

TEST_CASE("sse: the places are those of id and data") {
  std::string out = "before";
  const SsePlaces places = append_sse(out, {"the data", "tick", "the id"});
  CHECK(out.substr(6 + places.id, 6) == "the id");
  CHECK(out.substr(6 + places.data, 8) == "the data");
  CHECK(places.one_line);
  CHECK_FALSE(append_sse(out, {"a\nb"}).one_line);
}

TEST_CASE("sse: a type or an id holds neither an end of line nor NUL") {
  CHECK(is_sse_field("room joined: ä"));
  CHECK(is_sse_field(""));
  CHECK_FALSE(is_sse_field("a\nb"));
  CHECK_FALSE(is_sse_field("a\rb"));
  CHECK_FALSE(is_sse_field(std::string_view("a\0b", 3)));
}
