#pragma once

#include <cstdint>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "server/options.h"

namespace perigee::server {

/// One thing wrong with the configuration, with its place.
struct ConfigMistake {
  std::string file;  ///< as it was given; "command line" for an override
  int line = 0;      ///< from 1; 0 when the mistake has no line
  int column = 0;    ///< from 1, in characters
  std::string message;

  /// "conf/server.toml:12:3: unknown key 'lisen' in [server]; did you mean 'listen'?", one line.
  [[nodiscard]] std::string text() const;
};

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
