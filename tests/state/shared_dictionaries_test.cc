#include "state/shared_dictionaries.h"

#include <catch2/catch.hpp>

using namespace perigee::state;

TEST_CASE("shared dictionaries: a name is one dictionary, with its own bounds or the default ones") {
  SharedDictionaries all;
  SharedDictionaries::Settings settings;
  settings.default_size = 100'000;
  settings.named["own"] = {200'000, true};
  all.apply(settings);
  SharedDictionary* own = all.find("own");
  SharedDictionary* other = all.find("other");
  CHECK(all.find("own") == own);
  CHECK(own->settings() == SharedDictionary::Settings{200'000, true});
  CHECK(other->settings() == SharedDictionary::Settings{100'000, false});
  settings.named.clear();
  settings.named["other"] = {300'000, false};
  all.apply(settings);
  CHECK(own->settings() == SharedDictionary::Settings{100'000, false});
  CHECK(other->settings().size == 300'000);
}

TEST_CASE("shared dictionaries: there are only so many, but for those with settings of their own") {
  SharedDictionaries all;
  SharedDictionaries::Settings settings;
  settings.named["own"] = {200'000, true};
  all.apply(settings);
  for (std::size_t i = 0; i < SharedDictionaries::kMost; ++i) {
    REQUIRE(all.find("d" + std::to_string(i)) != nullptr);
  }
  CHECK(all.find("one more") == nullptr);
  CHECK(all.find("d0") != nullptr);
  CHECK(all.find("own") != nullptr);
}
