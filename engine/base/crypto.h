#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace perigee {

/// `size` bytes from the kernel's generator (getrandom), which never fails once the system is up.
[[nodiscard]] std::string random_bytes(std::size_t size);

/// The same as a number.
[[nodiscard]] std::uint64_t random_number();

/// SHA-256 (FIPS 180-4): 32 bytes.
[[nodiscard]] std::string sha256(std::string_view text);

/// HMAC with SHA-256 (RFC 2104): 32 bytes.
[[nodiscard]] std::string hmac_sha256(std::string_view key, std::string_view text);

enum class Digest : std::uint8_t { kSha1, kSha256, kSha512 };

/// HMAC (RFC 2104) with one of these: 20, 32 or 64 bytes. SHA-1 is for what others sign with it, no choice for anything
/// new.
[[nodiscard]] std::string hmac(Digest digest, std::string_view key, std::string_view text);

/// Lower-case hexadecimal digits.
[[nodiscard]] std::string to_hex(std::string_view bytes);
/// The bytes of hexadecimal digits in either case; nothing when there are others or their number is odd.
[[nodiscard]] std::optional<std::string> from_hex(std::string_view text);

enum class Base64 : std::uint8_t {
  kStandard,  ///< + and /, padded (RFC 4648, section 4)
  kUrl        ///< - and _, not padded (section 5)
};

[[nodiscard]] std::string to_base64(std::string_view bytes, Base64 alphabet);
/// The bytes of a text in that alphabet, padded or not; nothing when it is none: another character, bits left over.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text, Base64 alphabet);

}  // namespace perigee
