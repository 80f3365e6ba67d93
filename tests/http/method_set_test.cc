#include "http/method_set.h"

#include <catch2/catch.hpp>
#include <string>

using perigee::http::Method;
using perigee::http::MethodNames;
using perigee::http::MethodSet;

TEST_CASE("method set: OPTIONS is always allowed, HEAD beside GET") {
  const MethodNames names;
  CHECK(names.allow_text(0) == "OPTIONS");
  CHECK(names.allow_text(MethodNames::known(Method::kGet)) == "GET, HEAD, OPTIONS");
  CHECK(names.allow_text(MethodNames::known(Method::kDelete) | MethodNames::known(Method::kPost)) ==
        "POST, DELETE, OPTIONS");
}

TEST_CASE("method set: extensions follow in the order they were met") {
  MethodNames names;
  const MethodSet purge = names.add_extension("PURGE");
  const MethodSet brew = names.add_extension("BREW");
  CHECK(names.add_extension("PURGE") == purge);
  CHECK(names.allow_text(purge | brew) == "OPTIONS, PURGE, BREW");
}

TEST_CASE("method set: there is room for fifty extensions") {
  MethodNames names;
  for (int i = 0; i < 50; ++i) {
    CHECK(names.add_extension("M" + std::to_string(i)) != 0);
  }
  CHECK(names.add_extension("M50") == 0);
}

TEST_CASE("method set: a text stays where it is") {
  const MethodNames names;
  const std::string_view text = names.allow_text(0);
  for (MethodSet set = 0; set < 512; ++set) {
    static_cast<void>(names.allow_text(set));
  }
  CHECK(names.allow_text(0).data() == text.data());
}
