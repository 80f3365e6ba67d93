#pragma once

#include <array>
#include <cstddef>
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

/// Collects the header lines of an answer and hands them over in one piece when it is destroyed. Content-Type becomes
/// the answer's content type.
class FieldLines {
 public:
  explicit FieldLines(Answer& answer) : answer_(answer) {}
  ~FieldLines() { flush(); }
  FieldLines(const FieldLines&) = delete;
  FieldLines& operator=(const FieldLines&) = delete;

  /// Nothing is added on a bad verdict.
  [[nodiscard]] FieldVerdict add(std::string_view name, std::string_view value);

 private:
  void flush();

  Answer& answer_;
  std::size_t used_ = 0;
  std::array<char, 512> lines_;  // longer lines go to the answer as they are
};

/// Adds a single header line to an answer.
[[nodiscard]] inline FieldVerdict add_field(Answer& answer, std::string_view name, std::string_view value) {
  return FieldLines(answer).add(name, value);
}

}  // namespace perigee::script
