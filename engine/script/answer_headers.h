#pragma once

#include <lua.hpp>

#include <string_view>

#include "script/normalizer.h"

namespace perigee::script {

/// Adds the headers in the table (or nil) at `index`: strings, numbers, or lists of them.
void add_headers(const Normalizer& self, int index);

/// The same of a response value's own (`inner`), but for those that were returned beside it (`outer`).
void add_inner_headers(const Normalizer& self, int inner, int outer);

/// Whether the headers at `index`, if there are any, have one of that name, in any case.
[[nodiscard]] bool has_header(lua_State* state, int index, std::string_view name);

}  // namespace perigee::script
