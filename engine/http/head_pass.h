#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "http/byte_scan.h"
#include "http/head_memo.h"
#include "http/request_head.h"
#include "http/target_scan.h"

namespace perigee::http {

/// Whether the bytes at `at` are those of the literal; of two, four or eight of them one comparison.
template <std::size_t kSize>
bool reads(const char* at, const char (&literal)[kSize]) {
  return std::memcmp(at, literal, kSize - 1) == 0;
}

/// The first byte at or after `at` that no token holds.
[[nodiscard]] const char* find_token_end(const char* at, const char* end);

/// The text without the white space around it. REQUIRES: a colon or comma stands somewhere before, and all are bytes of
/// a field value, so that none but blanks are as low as SP.
[[nodiscard]] std::string_view trim(const char* begin, const char* end);

/// One look at a head's bytes, from the first line that was not whole at the last look. What nearly every head needs
/// stands in head_scanner.cc and is inlined there, what few need in head_pass.cc. Lives on the stack of scan().
class HeadPass {
 public:
  /// What reading one line came to.
  enum class Step : std::uint8_t {
    kNext,  ///< the line is whole; the pass stands behind it
    kLast,  ///< it was the empty line that ends the head
    kMore,  ///< it goes on behind the bytes at hand
    kRefused
  };

  /// The options of Connection fields that mean something here.
  enum ConnectionOption : std::uint8_t { kCloseOption = 1, kKeepAliveOption = 2, kUpgradeOption = 4 };

  HeadPass(const char* begin, const char* end, const HeadLimits& limits, RequestHead& head, std::uint32_t line_start,
           std::uint8_t connection)
      : range_(begin, end),
        begin_(begin),
        end_(end),
        line_(begin + line_start),
        limits_(limits),
        head_(head),
        max_fields_(std::min(limits.fields, RequestHead::kMaxFields)),
        connection_(connection) {}

  void begin_head();
  Step read_request_line();
  /// Reads all header lines that `memo` remembers at once, if these are the next ones.
  bool recall(HeadMemo& memo);
  void begin_fields();
  Step read_field_line();
  Step finish();

  [[nodiscard]] std::uint32_t line_start() const { return offset(line_); }
  [[nodiscard]] std::uint8_t connection() const { return connection_; }
  [[nodiscard]] int status() const { return status_; }
  [[nodiscard]] const char* reason() const { return reason_; }

 private:
  /// Where a header line's name ends, and what it is: known names are followed by a colon, others perhaps not.
  struct FieldName {
    const char* end;
    KnownField slot;
  };

  [[nodiscard]] std::uint32_t offset(const char* at) const { return static_cast<std::uint32_t>(at - begin_); }
  [[nodiscard]] Span span(const char* from, const char* to) const {
    return {offset(from), static_cast<std::uint32_t>(to - from)};
  }
  [[nodiscard]] Span span(std::string_view text) const {
    return {offset(text.data()), static_cast<std::uint32_t>(text.size())};
  }

  Step refuse(int status, const char* reason);
  Step refuse_line(const char* at, int status, const char* reason);
  Step refuse_byte(const char* at, const char* reason);
  Step more(const char* at);
  Step stopped(const char* at, const char* reason);
  Step too_long();

  Step skip_empty_lines();
  const char* read_method();
  Step read_version(const char* at);
  Step read_odd_version(const char* at);
  Step read_target(const TargetMarks& marks);
  Step read_odd_target(std::string_view target);
  Step read_absolute_form(std::string_view target, std::size_t scheme);
  Step decode();

  [[nodiscard]] FieldName read_name() const;
  [[nodiscard]] FieldName read_odd_name() const;
  [[nodiscard]] const char* find_odd_value_end(const char* at) const;
  Step read_end_line();
  Step note_known_field(KnownField slot, std::uint16_t index, std::string_view value);
  Step read_known_field(KnownField slot, std::string_view value);
  [[nodiscard]] bool is_port(const char* at, const char* end) const;
  [[nodiscard]] bool is_plain_host(std::string_view value) const;
  Step read_host(std::string_view value);
  Step read_connection(std::string_view value);
  Step read_content_length(std::string_view value);
  Step read_transfer_encoding(std::string_view value);
  Step read_expect(std::string_view value);
  [[nodiscard]] bool names_upgrade() const;

  const byte_scan::Range range_;
  const char* const begin_;
  const char* const end_;
  const char* line_;  ///< the first line that is not read
  const HeadLimits& limits_;
  RequestHead& head_;
  const std::uint32_t max_fields_;
  std::uint8_t connection_;
  bool in_fields_ = true;
  int status_ = 0;
  const char* reason_ = "";
};

}  // namespace perigee::http
