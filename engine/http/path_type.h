#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace perigee::http {

/// The types a path parameter may name. kCustom: one of the app's own, which Lua checks; here any text is of it.
enum class PathType : std::int32_t {
  kString,
  kInteger,
  kNumber,
  kBoolean,
  kUuid,
  kDate,
  kJson,
  kKeyword,
  kSlug,
  kCustom
};

/// The type called `name`; nullopt when there is none. kCustom has no name.
[[nodiscard]] std::optional<PathType> path_type_of(std::string_view name);
[[nodiscard]] std::string_view path_type_name(PathType type);

/// What a type wants, in words for a client: "an integer within 2^53", "a date as YYYY-MM-DD".
[[nodiscard]] std::string_view path_type_expected(PathType type);

/// Whether `text` (decoded) is of the type; `number` receives the value of integers and numbers, 1 or 0 of booleans
/// ("true", "false"), and is left alone otherwise. Integers: plain decimal within +-2^53, no sign but "-", no leading
/// zero but "0" itself. Numbers: decimal with optional fraction and exponent, finite. Dates: a day that exists
/// (proleptic Gregorian). Keywords: [a-z][a-z0-9_]*. Slugs: [a-z0-9]+(-[a-z0-9]+)*. Uuids: 8-4-4-4-12 hex digits.
/// Json and custom ones: any text here (decoding it is Lua's). Strings: not empty.
[[nodiscard]] bool parse_path_value(PathType type, std::string_view text, double& number);

}  // namespace perigee::http
