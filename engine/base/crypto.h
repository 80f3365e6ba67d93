#pragma once

#include <cstddef>
#include <cstdint>
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

}  // namespace perigee
