#include "base/crypto.h"

#include <catch2/catch.hpp>
#include <set>
#include <string>

using namespace perigee;

namespace {

std::string hex(const std::string& bytes) {
  std::string text;
  for (const unsigned char byte : bytes) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

}  // namespace

TEST_CASE("crypto: SHA-256 gives the digests of FIPS 180-4") {
  CHECK(hex(sha256("")) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(hex(sha256("abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("crypto: HMAC gives the codes of RFC 4231") {
  CHECK(hex(hmac_sha256(std::string(20, '\x0b'), "Hi There")) ==
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  CHECK(hex(hmac_sha256("Jefe", "what do ya want for nothing?")) ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  CHECK(hex(hmac_sha256(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First")) ==
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST_CASE("crypto: random bytes are as many as were asked for and do not repeat") {
  CHECK(random_bytes(0).empty());
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string bytes = random_bytes(16);
    REQUIRE(bytes.size() == 16);
    CHECK(seen.insert(bytes).second);
  }
  CHECK(random_bytes(100'000).size() == 100'000);
}

TEST_CASE("crypto: HMAC with each digest, by the examples of RFC 2202 and RFC 4231") {
  using perigee::Digest;
  using perigee::hmac;
  using perigee::to_hex;
  const std::string key = "Jefe";
  const std::string text = "what do ya want for nothing?";
  CHECK(to_hex(hmac(Digest::kSha1, key, text)) == "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
  CHECK(to_hex(hmac(Digest::kSha256, key, text)) == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  CHECK(
      to_hex(hmac(Digest::kSha512, key, text)).starts_with("164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7"));
  CHECK(to_hex(hmac(Digest::kSha256, "", "")) == "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST_CASE("crypto: hexadecimal digits there and back") {
  const std::string bytes("\x00\x7f\xff\x10", 4);
  CHECK(perigee::to_hex(bytes) == "007fff10");
  CHECK(perigee::from_hex("007FfF10") == bytes);
  CHECK(perigee::from_hex("") == "");
  for (const char* wrong : {"0", "0g", "g0", "001", " 00", "0x00"}) {
    CHECK_FALSE(perigee::from_hex(wrong));
  }
}

TEST_CASE("crypto: base64 there and back, by the examples of RFC 4648") {
  using perigee::Base64;
  const std::pair<std::string, std::string> cases[] = {{"", ""},
                                                       {"f", "Zg=="},
                                                       {"fo", "Zm8="},
                                                       {"foo", "Zm9v"},
                                                       {"foob", "Zm9vYg=="},
                                                       {"fooba", "Zm9vYmE="},
                                                       {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : cases) {
    const std::string bare = text.substr(0, text.find('='));
    CHECK(perigee::to_base64(bytes, Base64::kStandard) == text);
    CHECK(perigee::to_base64(bytes, Base64::kUrl) == bare);
    for (const Base64 alphabet : {Base64::kStandard, Base64::kUrl}) {
      CHECK(perigee::from_base64(text, alphabet) == bytes);
      CHECK(perigee::from_base64(bare, alphabet) == bytes);
    }
  }
  CHECK(perigee::to_base64("\xfb\xff", Base64::kStandard) == "+/8=");
  CHECK(perigee::to_base64("\xfb\xff", Base64::kUrl) == "-_8");
  for (const char* wrong : {"A", "Zg=", "Zh==", "Zg===", "====", "Z g=", "-_8", "Zm9vYmF", "Zg==Zg==", "=Zg="}) {
    CHECK_FALSE(perigee::from_base64(wrong, Base64::kStandard));
  }
  CHECK_FALSE(perigee::from_base64("+/8", Base64::kUrl));
}
