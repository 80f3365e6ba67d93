#pragma once

#include <cstdint>
#include <string_view>

#include "script/exchange.h"

namespace perigee::script {

enum class FieldVerdict : std::uint8_t {
  kAdded,
  kBadName,   ///< no token of RFC 9110 section 5.6.2
  kReserved,  ///< the server sets it itself: framing, Connection, Date, Server
  kBadValue   ///< holds CR, LF, NUL or another control byte
};

/// What a name means as that of an answer's header.
enum class NameUse : std::uint8_t { kLine, kContentType, kBad, kReserved };

[[nodiscard]] NameUse name_use(std::string_view name);

/// Adds a header line to an answer; Content-Type becomes the answer's content type. Nothing is added on a bad verdict.
[[nodiscard]] FieldVerdict add_field(Answer& answer, std::string_view name, std::string_view value);

/// The same with names that were looked at before: those of a NameUse::kLine, or "" for Content-Type. Those whose value
/// has no data are passed over. False: a value is bad, and those before it were added.
[[nodiscard]] bool add_known_fields(Answer& answer, const Slice* names, const Slice* values, std::size_t count);

}  // namespace perigee::script
