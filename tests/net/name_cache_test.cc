#include "net/name_cache.h"

#include <catch2/catch.hpp>

using perigee::net::NameAnswer;
using perigee::net::NameCache;

TEST_CASE("name cache: an answer is kept until it expires") {
  NameCache cache(10);
  cache.put("a", {{}, "dns: one"}, 100);
  REQUIRE(cache.find("a", 99) != nullptr);
  CHECK(cache.find("a", 99)->error == "dns: one");
  CHECK(cache.find("b", 99) == nullptr);
  CHECK(cache.find("a", 100) == nullptr);
  CHECK(cache.size() == 0);
}

TEST_CASE("name cache: a later answer takes the place of an earlier") {
  NameCache cache(10);
  cache.put("a", {{}, "old"}, 100);
  cache.put("a", {{}, "new"}, 200);
  CHECK(cache.size() == 1);
  CHECK(cache.find("a", 150)->error == "new");
}

TEST_CASE("name cache: the name asked for least recently makes room") {
  NameCache cache(2);
  cache.put("a", {}, 100);
  cache.put("b", {}, 100);
  CHECK(cache.find("a", 1) != nullptr);
  cache.put("c", {}, 100);
  CHECK(cache.find("b", 1) == nullptr);
  CHECK(cache.find("a", 1) != nullptr);
  CHECK(cache.find("c", 1) != nullptr);
}

TEST_CASE("name cache: one without room keeps nothing") {
  NameCache cache(0);
  cache.put("a", {}, 100);
  CHECK(cache.find("a", 1) == nullptr);
}
