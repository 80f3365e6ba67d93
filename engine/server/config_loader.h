#pragma once

#include <cstdint>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "server/config_mistakes.h"
#include "server/options.h"

namespace perigee::server {

/// What is looked at besides each value: how they go together, or also whether what they name is there.
enum class Checks : std::uint8_t { kValues, kPlaces };

/// Reads the configuration file at `path` ("" for none: the defaults) and then `overrides`, each "section.key=value"
/// with a value that is TOML or else a plain string; the last of two wins. `${NAME}` and `${file:PATH}` are filled in
/// within strings. All mistakes come at once, in the order of the file (of TOML syntax errors the first, which hides
/// what follows it); none shows a string's value. Any thread, but getenv() must not race with a setenv().
[[nodiscard]] tl::expected<Options, std::vector<ConfigMistake>> load_options(const std::string& path,
                                                                             const std::vector<std::string>& overrides,
                                                                             Checks checks = Checks::kValues);

}  // namespace perigee::server
