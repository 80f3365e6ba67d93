#include "state/session_token.h"

#include <blake2.h>

#include "base/crypto.h"

namespace perigee::state {
namespace {

constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::size_t kRandom = 32;  // bytes

constexpr std::array<std::uint8_t, 256> kPartOf = [] {
  std::array<std::uint8_t, 256> parts{};
  parts.fill(SessionToken::kParts);
  for (std::size_t i = 0; i < kLetters.size(); ++i) {
    parts[static_cast<unsigned char>(kLetters[i])] = static_cast<std::uint8_t>(i);
  }
  return parts;
}();

}  // namespace

std::string SessionToken::make(std::size_t part) {
  std::string token(1, kLetters[part]);
  token.reserve(kSize);
  unsigned bits = 0;
  int waiting = 0;  // bits that are no letter yet
  for (const char byte : random_bytes(kRandom)) {
    bits = bits << 8 | static_cast<unsigned char>(byte);
    for (waiting += 8; waiting >= 6; waiting -= 6) {
      token += kLetters[bits >> (waiting - 6) & 63];
    }
  }
  token += kLetters[bits << (6 - waiting) & 63];
  return token;
}

std::size_t SessionToken::part_of(std::string_view text) {
  return text.size() == kSize ? kPartOf[static_cast<unsigned char>(text.front())] : SessionToken::kParts;
}

SessionToken::Digest SessionToken::digest(std::string_view token) {
  // Every digest begins in the same state.
  static const blake2s_state kBegin = [] {
    blake2s_state state;
    blake2s_init(&state, sizeof(Digest));
    return state;
  }();
  Digest digest;
  blake2s_state state = kBegin;
  blake2s_update(&state, reinterpret_cast<const std::uint8_t*>(token.data()), token.size());
  blake2s_final(&state, reinterpret_cast<std::uint8_t*>(digest.words.data()), sizeof digest.words);
  return digest;
}

}  // namespace perigee::state
