#include "base/password.h"

#include <argon2.h>

#include <array>
#include <cstdint>

#include "base/crypto.h"

namespace perigee {
namespace {

constexpr std::uint32_t kPasses = 2;
constexpr std::uint32_t kKibibytes = 19 * 1024;
constexpr std::uint32_t kLanes = 1;
constexpr std::size_t kSalt = 16;
constexpr std::size_t kHash = 32;
constexpr std::size_t kLongestHash = 512;

}  // namespace

std::string hash_password(std::string_view password) {
  const std::string salt = random_bytes(kSalt);
  std::array<char, 256> encoded{};
  const int outcome = argon2id_hash_encoded(kPasses, kKibibytes, kLanes, password.data(), password.size(), salt.data(),
                                            salt.size(), kHash, encoded.data(), encoded.size());
  return outcome == ARGON2_OK ? encoded.data() : "";
}

bool verify_password(std::string_view password, const std::string& hash) {
  if (hash.size() > kLongestHash || hash.find('\0') != std::string::npos) {
    return false;
  }
  return argon2id_verify(hash.c_str(), password.data(), password.size()) == ARGON2_OK;
}

}  // namespace perigee
