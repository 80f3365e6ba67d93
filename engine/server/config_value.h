#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "server/options.h"

// What a value of the configuration may be, and how it is read and written; free of the file's parser. Any thread.
namespace perigee::server {

/// A value as the configuration wrote it, strings expanded.
using ConfigValue = std::variant<bool, std::int64_t, double, std::string, std::vector<std::string>>;

/// "server.listen".
[[nodiscard]] std::string option_name(const OptionSpec& spec);

/// Puts `value` into its option. The error says what the option takes, and never shows a string, which may be a secret.
[[nodiscard]] Result<> set_option(const OptionSpec& spec, const ConfigValue& value, Options& options);

/// What an option takes, for the manual and for messages: "an integer from 0 to 256", "true or false".
[[nodiscard]] std::string option_domain_text(const OptionSpec& spec);

/// The value an option has, as TOML: `["127.0.0.1:8080"]`, `"32KiB"`, `30`. A secret that is set shows as "(secret)".
[[nodiscard]] std::string option_value_text(const OptionSpec& spec, const Options& options);

/// `text` as a basic string of TOML, in its quotes.
[[nodiscard]] std::string toml_string(std::string_view text);

/// Reads a size in bytes: digits, then nothing or one of B kB MB GB TB (powers of 1000) or KiB MiB GiB TiB (of 1024).
[[nodiscard]] Result<std::int64_t> parse_size(std::string_view text);

}  // namespace perigee::server
