#include "base/password.h"

#include <catch2/catch.hpp>

using perigee::hash_password;
using perigee::verify_password;

TEST_CASE("password: a hash is of its password and no other, and never the same twice") {
  const std::string hash = hash_password("correct horse");
  CHECK(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
  CHECK(hash != hash_password("correct horse"));
  CHECK(verify_password("correct horse", hash));
  CHECK_FALSE(verify_password("correct horsf", hash));
  CHECK_FALSE(verify_password("", hash));
  const std::string with_null("a\0b", 3);
  CHECK(verify_password(with_null, hash_password(with_null)));
  CHECK_FALSE(verify_password("a", hash_password(with_null)));
  CHECK(verify_password("", hash_password("")));
}

TEST_CASE("password: what is no hash of argon2id is of no password") {
  const std::string hash =
      GENERATE(values<std::string>({"", "x", "$argon2id$", "$argon2i$v=19$m=8,t=1,p=1$c29tZXNhbHQ$aGFzaA",
                                    "$2b$12$abcdefghijklmnopqrstuv", "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ"}));
  CHECK_FALSE(verify_password("x", hash));
  CHECK_FALSE(verify_password("x", std::string(10'000, '$')));
}

TEST_CASE("password: a hash that costs more than anybody pays is of no password, and is not worked out") {
  constexpr const char* kRest = "$c29tZXNhbHQ$MPa0jK5ufwJMbTm1nOv0lvBHZ9TJwnVmVY8UPzW4Qik";
  const std::string parameters =
      GENERATE(values<std::string>({"m=8,t=4294967295,p=1", "m=4194304,t=1,p=1", "m=1048576,t=5,p=1",
                                    "m=8192,t=1,p=1000", "m=18446744073709551616,t=1,p=1"}));
  CHECK_FALSE(verify_password("x", "$argon2id$v=19$" + parameters + kRest));
}

TEST_CASE("password: hashes of other parameters are verified") {
  const std::string hash = GENERATE(
      values<std::string>({"$argon2id$v=19$m=64,t=3,p=1$c2FsdHNhbHQ$WvobV7LiaZIcorYKnBREc+Kzak8Hknu83GDVvTgiRG8",
                           "$argon2id$v=19$m=256,t=1,p=4$c2FsdHNhbHQ$1hHAmfU/loXR9rtSKMeASzXWqdBktq+89nKDRTLaqKo"}));
  CHECK(verify_password("password", hash));
}
