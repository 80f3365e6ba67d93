#include "state/session_token.h"

#include <catch2/catch.hpp>
#include <set>
#include <string>

using perigee::state::SessionToken;

TEST_CASE("session token: it names its part and is otherwise never the same") {
  std::set<std::string> tokens;
  for (std::size_t part = 0; part < SessionToken::kParts; ++part) {
    for (int i = 0; i < 10; ++i) {
      const std::string token = SessionToken::make(part);
      REQUIRE(token.size() == SessionToken::kSize);
      CHECK(token.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") ==
            std::string::npos);
      CHECK(SessionToken::part_of(token) == part);
      tokens.insert(token.substr(1));
    }
  }
  CHECK(tokens.size() == 640);
}

TEST_CASE("session token: a text that can be none has no part") {
  const std::string token = SessionToken::make(1);
  for (const std::string& text : {std::string(), token.substr(1), token + "A", " " + token.substr(1),
                                  std::string(43, 'A'), std::string(5000, 'A'), "\xff" + token.substr(1)}) {
    CHECK(SessionToken::part_of(text) == SessionToken::kParts);
  }
}

TEST_CASE("session token: the digest is BLAKE2s-256") {
  // RFC 7693, appendix B
  const auto digest = SessionToken::digest("abc");
  const unsigned char expected[] = {0x50, 0x8c, 0x5e, 0x8c, 0x32, 0x7c, 0x14, 0xe2, 0xe1, 0xa7, 0x2b,
                                    0xa3, 0x4e, 0xeb, 0x45, 0x2f, 0x37, 0x45, 0x8b, 0x20, 0x9e, 0xd6,
                                    0x3a, 0x29, 0x4d, 0x99, 0x9b, 0x4c, 0x86, 0x67, 0x59, 0x82};
  CHECK(std::equal(std::begin(expected), std::end(expected),
                   reinterpret_cast<const unsigned char*>(digest.words.data())));
  CHECK(digest == SessionToken::digest("abc"));
  CHECK_FALSE(digest == SessionToken::digest("abd"));
}
