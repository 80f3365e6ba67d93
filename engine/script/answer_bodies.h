#pragma once

#include <lua.hpp>

#include <string_view>

#include "script/normalizer.h"

namespace perigee::script {

/// Takes the number at `index` for the answer's status.
void set_status(const Normalizer& self, int index);

/// A body as a handler may return it: a string or a table; nil means none.
void plain_body(const Normalizer& self, int index);

/// The body of a response value, what perigee.text and its siblings made, with its type, and its status unless the
/// handler gave one. Not of a file.
void response_body(const Normalizer& self, int response, bool has_status);

/// Makes a problem's document say the status that is sent, and the standard title of it where it had that of its own.
void settle_problem(const Normalizer& self, int response);

[[nodiscard]] bool is_kind(lua_State* state, int response, std::string_view kind);

/// Whether it is a problem whose body is still a document.
[[nodiscard]] bool is_problem(lua_State* state, int index);

/// Whether the app's error hook has seen a problem already: within middleware (lua/perigee/failures.lua).
[[nodiscard]] bool is_rendered(lua_State* state, int response);

}  // namespace perigee::script
