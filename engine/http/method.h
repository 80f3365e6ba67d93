#pragma once

#include <cstdint>
#include <string_view>

namespace perigee::http {

/// The request methods Perigee knows by name (RFC 9110 section 9, RFC 5789); any other token is an extension.
enum class Method : std::int32_t { kGet, kHead, kPost, kPut, kPatch, kDelete, kOptions, kTrace, kConnect, kExtension };

/// The method a request line's first word names. Methods are case-sensitive.
[[nodiscard]] Method method_of(std::string_view token);

/// The word of a known method; "" for kExtension.
[[nodiscard]] std::string_view method_name(Method method);

}  // namespace perigee::http
