#include "client/content_decoder.h"

#include <catch2/catch.hpp>

#include "coded_hello.h"

using perigee::client::ContentDecoder;
using Outcome = perigee::client::ContentDecoder::Outcome;

TEST_CASE("content decoder: gzip and br, however they are cut") {
  for (const auto& [coding, bytes] : {std::pair("gzip", kGzip), std::pair("BR", kBrotli)}) {
    for (const std::size_t size : {std::size_t(1), std::size_t(100)}) {
      const auto decoder = ContentDecoder::make(coding);
      REQUIRE(decoder != nullptr);
      std::string out;
      for (std::size_t at = 0; at < bytes.size(); at += size) {
        CHECK(decoder->feed(bytes.substr(at, size), out, 100) == Outcome::kTaken);
      }
      CHECK(out == "hello");
      CHECK(decoder->ended());
    }
  }
}

TEST_CASE("content decoder: what decodes to more than may be is full, and holds no more than that and a byte") {
  for (const auto& [coding, bytes] : {std::pair("gzip", kGzip), std::pair("br", kBrotli)}) {
    std::string out;
    CHECK(ContentDecoder::make(coding)->feed(bytes, out, 4) == Outcome::kFull);
    CHECK(out.size() <= 5);
    out.clear();
    CHECK(ContentDecoder::make(coding)->feed(bytes, out, 5) == Outcome::kTaken);
  }
}

TEST_CASE("content decoder: garbage is malformed, and what is cut has not ended") {
  std::string out;
  CHECK(ContentDecoder::make("gzip")->feed("no gzip at all", out, 100) == Outcome::kMalformed);
  CHECK(ContentDecoder::make("br")->feed("\xff\xff\xff\xff\xff\xff", out, 100) == Outcome::kMalformed);
  const auto decoder = ContentDecoder::make("gzip");
  CHECK(decoder->feed(kGzip.substr(0, 18), out, 100) == Outcome::kTaken);
  CHECK_FALSE(decoder->ended());
}

TEST_CASE("content decoder: two pieces of gzip behind one another are one body; other codings have none") {
  const auto decoder = ContentDecoder::make("x-gzip");
  std::string out;
  CHECK(decoder->feed(std::string(kGzip) + std::string(kGzip), out, 100) == Outcome::kTaken);
  CHECK(out == "hellohello");
  for (const char* coding : {"", "identity", "deflate", "gzip, br"}) {
    CHECK(ContentDecoder::make(coding) == nullptr);
  }
}
