#include "http/request_head.h"

#include <catch2/catch.hpp>
#include <string>

#include "http/known_names.h"

using perigee::http::known_field_of;
using perigee::http::KnownField;
using perigee::http::RequestHead;

TEST_CASE("request head: every known name has its slot, in any case") {
  for (std::size_t i = 0; i < perigee::http::known_names::kCount; ++i) {
    std::string name(perigee::http::known_names::kNames[i]);
    CAPTURE(name);
    CHECK(known_field_of(name) == static_cast<KnownField>(i));
    for (char& letter : name) {
      letter = letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 0x20) : letter;
    }
    CHECK(known_field_of(name) == static_cast<KnownField>(i));
  }
}

TEST_CASE("request head: a name that differs from a known one in any one byte is not known") {
  for (std::size_t i = 0; i < perigee::http::known_names::kCount; ++i) {
    const std::string known(perigee::http::known_names::kNames[i]);
    for (std::size_t at = 0; at < known.size(); ++at) {
      for (const int bit : {1, 2, 4, 8, 16, 64, 128}) {
        std::string name = known;
        name[at] = static_cast<char>(name[at] ^ bit);
        const KnownField found = known_field_of(name);
        CHECK((found == KnownField::kCount || found != static_cast<KnownField>(i)));
      }
    }
    CHECK(known_field_of(known + "s") == KnownField::kCount);
    CHECK(known_field_of(known.substr(1)) != static_cast<KnownField>(i));
  }
  CHECK(known_field_of("") == KnownField::kCount);
  CHECK(known_field_of("te") == KnownField::kCount);
  CHECK(known_field_of("content\rlength") == KnownField::kCount);
  CHECK(known_field_of("sec-fetch-mode") == KnownField::kCount);
}

TEST_CASE("request head: a field is found by name in any case, from any place on") {
  const std::string bytes = "A:1 b:2 a:3";
  RequestHead head;
  head.base = bytes.data();
  head.field_count = 3;
  head.fields[0] = {{0, 1}, {2, 1}};
  head.fields[1] = {{4, 1}, {6, 1}};
  head.fields[2] = {{8, 1}, {10, 1}};
  CHECK(head.find("a") == 0);
  CHECK(head.find("A", 1) == 2);
  CHECK(head.find("B") == 1);
  CHECK(head.find("a", 3) == RequestHead::kAbsent);
  CHECK(head.find("c") == RequestHead::kAbsent);
}
