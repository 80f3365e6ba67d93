#pragma once

#include <string>
#include <string_view>

namespace perigee {

/// A password's hash as a PHC string, "$argon2id$v=19$m=19456,t=2,p=1$SALT$HASH" (RFC 9106; the parameters are
/// OWASP's), with a salt of its own. Takes some 20 ms and 19 MiB: not for a worker's thread. "" where there is no
/// memory.
[[nodiscard]] std::string hash_password(std::string_view password);

/// Whether `hash`, which hash_password() or another argon2id made, is of this password. Takes as long as its parameters
/// say. False for what is no such hash, or has parameters that keep a thread for longer than some seconds.
[[nodiscard]] bool verify_password(std::string_view password, const std::string& hash);

}  // namespace perigee
