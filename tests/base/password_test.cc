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
