#pragma once

#include <cstdint>
#include <string_view>

#include "base/slice.h"
#include "http/path_type.h"

namespace perigee::script {

/// What a member of a JSON object turned out to be. lua/perigee/json_body.lua knows the numbers.
enum class JsonKind : std::int32_t { kAbsent, kNull, kFalse, kTrue, kNumber, kText };

/// A member that is asked for, laid out for the FFI. Texts must be of the type where it is one of texts.
struct JsonField {
  Slice name;
  http::PathType type = http::PathType::kString;
  std::int32_t next = 0;  ///< the field that came behind this one the last time: a guess, most clients keep an order
};

/// A member's value. A text points into the JSON.
struct JsonValue {
  Slice text;
  double number = 0;
  JsonKind kind = JsonKind::kAbsent;
};

/// Reads an object whose members are scalars, without making anything of it: the value of `fields[i]` is left in
/// `values[i]`, of equal names the last; members that are not asked for are passed over. Takes nothing that
/// decode_json() would refuse, but gives up (false) on anything unusual: no object, an escape in a string, a container
/// or a text of another type under a name that is asked for. Whoever calls it then asks decode_json(). REQUIRES: one
/// field more than the `count`, whose `next` is the one that came first.
[[nodiscard]] bool read_json_object(std::string_view json, int max_depth, JsonField* fields, std::int32_t count,
                                    JsonValue* values) noexcept;

}  // namespace perigee::script
