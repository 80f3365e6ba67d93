#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "http/path_type.h"
#include "script/exchange.h"

namespace perigee::script {

/// Where a spec's text values come from. lua/perigee/spec_code.lua names them by these numbers.
enum class ValueSource : std::int32_t { kQuery, kHeader, kCookie, kForm };

/// What became of a value that a spec asks for.
enum class ValueVerdict : std::int32_t { kAbsent, kTaken, kRefused };

/// Finds the first value called `name` and reads it as `type`. A value that was found is left, decoded, in view.found
/// until the next call, and its number in view.number (see parse_path_value). Strings are any UTF-8 here, the empty one
/// included. Throws std::bad_alloc. REQUIRES: not kForm, whose values are found all at once (core.form).
[[nodiscard]] ValueVerdict find_value(Exchange& exchange, ValueSource source, std::string_view name,
                                      http::PathType type);

/// Whether `text` is of `type`, as find_value() takes it.
[[nodiscard]] bool parse_value(http::PathType type, std::string_view text, double& number);

/// Every value called `name`, in order and as it was sent: a query's and a form's are not decoded.
[[nodiscard]] std::vector<std::string_view> all_values(const Exchange& exchange, ValueSource source,
                                                       std::string_view name);

/// How many characters the UTF-8 `text` has; -1 when it is none (RFC 3629).
[[nodiscard]] std::int32_t utf8_characters(std::string_view text) noexcept;

/// What of a client's text an error shows: at most `most` bytes of UTF-8, cut between characters, what is no UTF-8
/// replaced by U+FFFD.
[[nodiscard]] std::string excerpt(std::string_view text, std::size_t most);

}  // namespace perigee::script
