#pragma once

#include <string>
#include <string_view>

#include "server/options.h"

// Options by name, and what to say of a name that is none. Any thread.
namespace perigee::server {

/// The option, or null. An empty section stands for any.
[[nodiscard]] const OptionSpec* find_option(std::string_view section, std::string_view key);

/// Whether the configuration has such a section; [app] is one.
[[nodiscard]] bool is_section(std::string_view name);

/// "unknown key 'lisen' in [server]; did you mean 'listen'?" An empty section stands for the lines before the first.
[[nodiscard]] std::string unknown_key(std::string_view section, std::string_view key);

/// The same of an override: "unknown option 'server.lisen'; did you mean 'server.listen'?"
[[nodiscard]] std::string unknown_option(std::string_view section, std::string_view key);

/// The option of a [shared.NAME], or null.
[[nodiscard]] const OptionSpec* find_dictionary_option(std::string_view key);

/// "unknown key 'sice' in [shared.visitors]; did you mean 'size'?"
[[nodiscard]] std::string unknown_dictionary_key(std::string_view name, std::string_view key);

/// "unknown section [sever]; did you mean [server]?"
[[nodiscard]] std::string unknown_section(std::string_view name);

}  // namespace perigee::server
