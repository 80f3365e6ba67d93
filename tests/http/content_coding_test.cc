#include "http/content_coding.h"

#include <catch2/catch.hpp>
#include <string>
#include <utility>

namespace {

std::string wishes(const std::string& text) {
  const auto found = perigee::http::parse_accept_encoding(text);
  return std::to_string(found.brotli) + " " + std::to_string(found.gzip) + " " + std::to_string(found.identity);
}

}  // namespace

TEST_CASE("accept encoding: what a client wants of brotli, gzip and neither") {
  const std::pair<const char*, const char*> cases[] = {{"", "0 0 1"},
                                                       {"gzip, deflate, br, zstd", "1000 1000 1"},
                                                       {"gzip;q=0.5, br;q=1.0", "1000 500 1"},
                                                       {"GZIP; Q=0.25", "0 250 1"},
                                                       {"x-gzip", "0 1000 1"},
                                                       {"*", "1000 1000 1000"},
                                                       {"*;q=0.1, br;q=0", "0 100 100"},
                                                       {"identity", "0 0 1000"},
                                                       {"identity;q=0, gzip;q=0.001", "0 1 0"},
                                                       {"*;q=0", "0 0 0"},
                                                       {" br ,\tgzip;q=0.999", "1000 999 1"}};
  for (const auto& [text, expected] : cases) {
    CHECK(wishes(text) == expected);
  }
}

TEST_CASE("accept encoding: a malformed element counts for nothing") {
  for (const char* text : {"br;q=2", "br;q=1.001", "br;q=", "br;q=0.0001", "br;q=-1", "br;level=9", "br;", ";", ",,,",
                           "br;q=1,5;q=a", "b r", "brotli", "br;q=.5", "br;q=0,5"}) {
    const std::string found = wishes(text);
    CHECK((found == "0 0 1" || std::string(text).starts_with("br;q=1,") || std::string(text) == "br;q=0,5"));
  }
}

TEST_CASE("accept encoding: of what is on offer the client gets what it wants most") {
  using perigee::http::Coding;
  const auto chosen = [](const char* text, bool gzip, bool brotli) {
    const auto coding = perigee::http::choose_coding(perigee::http::parse_accept_encoding(text), gzip, brotli);
    return std::string(!coding ? "none" : *coding == Coding::kGzip ? "gzip" : "br");
  };
  CHECK(chosen("gzip, br", true, true) == "br");
  CHECK(chosen("gzip, br", true, false) == "gzip");
  CHECK(chosen("gzip, br", false, false) == "none");
  CHECK(chosen("gzip;q=1, br;q=0.9", true, true) == "gzip");
  CHECK(chosen("gzip;q=0.1", true, true) == "gzip");
  CHECK(chosen("", true, true) == "none");
  CHECK(chosen("br;q=0, gzip;q=0", true, true) == "none");
  CHECK(chosen("identity, gzip;q=0.5", true, true) == "none");
  CHECK(chosen("identity;q=0.5, gzip;q=0.5", true, true) == "gzip");
  CHECK(chosen("identity;q=0", true, true) == "none");
  CHECK(chosen("*", true, true) == "br");
}
