#pragma once

#include <string_view>
#include <vector>

namespace perigee::script {

/// One module of the Lua half of the library, carried inside the binary.
struct LuaModule {
  std::string_view name;  ///< as `require` takes it: "perigee.types"
  std::string_view
      chunk;  ///< as tracebacks name it: "@lua/perigee/types.lua"; empty for a text, which is its own value
  std::string_view source;
};

/// Every embedded module, sorted by name. Immutable, any thread.
[[nodiscard]] const std::vector<LuaModule>& lua_library();

}  // namespace perigee::script
