#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace perigee::state {

/// What a client holds to name its session: one letter that says in which of 64 parts it is kept, and 256 bits of the
/// kernel's as 43 letters of base64url (RFC 4648 section 5). Who keeps it keeps its digest, so that nobody who reads
/// that can become a client.
class SessionToken {
 public:
  static constexpr std::size_t kSize = 44;
  static constexpr std::size_t kParts = 64;

  /// BLAKE2s-256 (RFC 7693) of the token's letters: of Debian's, the cheapest for one block without instructions of its
  /// own (838 user instructions, SHA-256 in OpenSSL 2,303).
  struct Digest {
    std::array<std::uint64_t, 4> words{};

    /// In a time that says nothing about where they differ.
    bool operator==(const Digest& other) const {
      return ((words[0] ^ other.words[0]) | (words[1] ^ other.words[1]) | (words[2] ^ other.words[2]) |
              (words[3] ^ other.words[3])) == 0;
    }
  };

  /// A new one.
  [[nodiscard]] static std::string make(std::size_t part);
  /// Which part a text names; kParts where it can be no token.
  [[nodiscard]] static std::size_t part_of(std::string_view text);
  [[nodiscard]] static Digest digest(std::string_view token);
};

}  // namespace perigee::state
