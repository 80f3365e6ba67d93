#include "base/slice.h"

#include <catch2/catch.hpp>
#include <string>

using perigee::Slice;
using perigee::Span;

TEST_CASE("slice: it views the bytes it was made of") {
  const std::string text("a\0b", 3);
  const Slice slice = Slice::of(text);
  CHECK(slice.data == text.data());
  CHECK(slice.view() == text);
  CHECK(Slice().view().empty());
}

TEST_CASE("span: it names the same bytes wherever the base has moved") {
  const std::string here = "GET /path HTTP/1.1";
  const std::string there = here;
  const Span path{4, 5};
  CHECK(path.in(here.data()) == "/path");
  CHECK(path.in(there.data()) == "/path");
  CHECK(path.in(there.data()).data() == there.data() + 4);
}
