#include "http/byte_ranges.h"

#include <catch2/catch.hpp>
#include <string>
#include <utility>

using perigee::http::ByteRanges;
using perigee::http::parse_byte_ranges;

namespace {

// "first+size first+size", "whole" where the field is ignored, "none" where nothing can be satisfied.
std::string shown(const std::string& text, std::uint64_t size = 10'000) {
  const ByteRanges set = parse_byte_ranges(text, size);
  if (set.verdict == ByteRanges::Verdict::kIgnored) {
    return "whole";
  }
  std::string all;
  for (const auto& range : set) {
    all += (all.empty() ? "" : " ") + std::to_string(range.first) + "+" + std::to_string(range.size);
  }
  return set.verdict == ByteRanges::Verdict::kUnsatisfiable ? "none" + all : all;
}

std::string many(int count, int step) {
  std::string text = "bytes=";
  for (int i = 0; i < count; ++i) {
    text += (i == 0 ? "" : ",") + std::to_string(i * step) + "-" + std::to_string(i * step);
  }
  return text;
}

}  // namespace

TEST_CASE("byte ranges: single ranges are cut to the representation") {
  const std::pair<const char*, const char*> cases[] = {{"bytes=0-0", "0+1"},
                                                       {"bytes=0-499", "0+500"},
                                                       {"bytes=9500-", "9500+500"},
                                                       {"bytes=-500", "9500+500"},
                                                       {"bytes=5-", "5+9995"},
                                                       {"bytes=-5", "9995+5"},
                                                       {"bytes=0-99999", "0+10000"},
                                                       {"bytes=-99999", "0+10000"},
                                                       {"BYTES=1-2", "1+2"},
                                                       {"bytes= 1-2 ", "1+2"},
                                                       {"bytes=9999-9999", "9999+1"},
                                                       {"bytes=0-99999999999999999999999999", "0+10000"},
                                                       {"bytes=-99999999999999999999999999", "0+10000"}};
  for (const auto& [text, expected] : cases) {
    CHECK(shown(text) == expected);
  }
}

TEST_CASE("byte ranges: where none lies in the representation, nothing can be satisfied") {
  for (const char* text :
       {"bytes=10000-", "bytes=10000-10001", "bytes=-0", "bytes=99999999999999999999999999-", "bytes=20000-,-0"}) {
    CHECK(shown(text) == "none");
  }
  CHECK(shown("bytes=20000-,0-0") == "0+1");
}

TEST_CASE("byte ranges: a field that is malformed is ignored as a whole") {
  for (const char* text : {"",           "bytes",         "bytes=",    "bytes=,",     "bytes=a-b",         "bytes=1",
                           "bytes=5-4",  "bytes=--5",     "bytes=-",   "bytes=1-2-3", "bytes=0x1-2",       "bytes=+1-2",
                           "bytes=1 -2", "bytes=1-2;3-4", "items=0-1", "bytes 0-1",   "bytes=0-1,garbage", "=0-1",
                           "bytes =0-1", "bytes=1-\xff"}) {
    CHECK(shown(text) == "whole");
  }
  CHECK(shown("bytes=0-0", 0) == "whole");
}

TEST_CASE("byte ranges: several keep their order, and those that overlap or nearly touch become one") {
  const std::pair<const char*, const char*> cases[] = {{"bytes=0-0,-1", "0+1 9999+1"},
                                                       {"bytes=5000-5009,0-9", "5000+10 0+10"},
                                                       {"bytes=0-9,,1000-1009,", "0+10 1000+10"},
                                                       {"bytes=0-99,50-149", "0+150"},
                                                       {"bytes=0-9,20-29", "0+30"},
                                                       {"bytes=0-,0-,0-", "0+10000"},
                                                       {"bytes=0-9,2000-2009,5-2000", "0+2010"},
                                                       {"bytes=500-600,2000-2100,0-9,590-2005", "500+1601 0+10"}};
  for (const auto& [text, expected] : cases) {
    CHECK(shown(text) == expected);
  }
}

TEST_CASE("byte ranges: sixteen are taken, seventeen are not") {
  CHECK(parse_byte_ranges(many(16, 500), 10'000).count == 16);
  CHECK(shown(many(17, 500)) == "whole");
  CHECK(shown(many(17, 1)) == "whole");
}
