#include "base/password.h"

#include <argon2.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <system_error>

#include "base/crypto.h"

namespace perigee {
namespace {

constexpr std::uint32_t kPasses = 2;
constexpr std::uint32_t kKibibytes = 19 * 1024;
constexpr std::uint32_t kLanes = 1;
constexpr std::size_t kSalt = 16;
constexpr std::size_t kHash = 32;
constexpr std::size_t kLongestHash = 512;
// What a hash may cost, whoever wrote it: room for RFC 9106's 2 GiB, and some seconds of one thread.
constexpr std::uint64_t kMostKibibytes = 1 << 21;
constexpr std::uint64_t kMostWritten = 1 << 22;  // KiB, all passes together
constexpr std::uint64_t kMostLanes = 64;

// The number behind `name` at the beginning of `rest`, both of which are taken off; 0 where there is none.
std::uint64_t take_number(std::string_view& rest, std::string_view name) {
  if (!rest.starts_with(name)) {
    return 0;
  }
  rest.remove_prefix(name.size());
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
  rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
  return error == std::errc() ? number : 0;
}

bool is_affordable(std::string_view hash) {
  std::string_view rest = hash.substr(std::min(hash.find("$m="), hash.size()));
  const std::uint64_t kibibytes = take_number(rest, "$m=");
  const std::uint64_t passes = take_number(rest, ",t=");
  const std::uint64_t lanes = take_number(rest, ",p=");
  return kibibytes > 0 && kibibytes <= kMostKibibytes && passes > 0 && passes <= kMostWritten / kibibytes &&
         lanes > 0 && lanes <= kMostLanes;
}

}  // namespace

std::string hash_password(std::string_view password) {
  const std::string salt = random_bytes(kSalt);
  std::array<char, 256> encoded{};
  const int outcome = argon2id_hash_encoded(kPasses, kKibibytes, kLanes, password.data(), password.size(), salt.data(),
                                            salt.size(), kHash, encoded.data(), encoded.size());
  return outcome == ARGON2_OK ? encoded.data() : "";
}

bool verify_password(std::string_view password, const std::string& hash) {
  if (hash.size() > kLongestHash || hash.find('\0') != std::string::npos || !is_affordable(hash)) {
    return false;
  }
  return argon2id_verify(hash.c_str(), password.data(), password.size()) == ARGON2_OK;
}

}  // namespace perigee
