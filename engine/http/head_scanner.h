#pragma once

#include <cstddef>
#include <cstdint>

#include "http/head_memo.h"
#include "http/request_head.h"

namespace perigee::http {

/// Reads a request's head in one strict pass and refuses everything RFC 9112 forbids or leaves to taste where tastes
/// have been exploited: bare CR or LF, obs-fold, white space before a colon, two lengths, a length beside an encoding,
/// any transfer coding but one "chunked", HTTP versions other than 1.0 and 1.1, a missing, doubled or malformed Host.
/// No I/O, no allocation but a decoded path. One scanner serves one connection; any one thread.
class HeadScanner {
 public:
  enum class Verdict : std::uint8_t { kIncomplete, kComplete, kRefused };

  /// Empty lines before a request line that are passed over (RFC 9112 section 2.2).
  static constexpr std::uint32_t kMaxEmptyLines = 4;

  /// Forgets a head that was begun. A complete head needs none: the next scan() begins a new one.
  void reset() {
    line_start_ = 0;
    in_fields_ = false;
    connection_ = 0;
    status_ = 0;
    reason_ = "";
  }

  /// Scans `size` bytes at `data`, which begin with the head. When more bytes have come, call again with the same bytes
  /// and the new ones behind them (they may have moved): whole lines are not read a second time. What can be refused is
  /// refused as soon as its bytes are there, and the verdict never depends on how the bytes were cut.
  /// A method that differs from a known one only by case is 501: methods are case-sensitive, so no route could mean it.
  /// Limits on lines count without their CRLF, the limit on all of it counts every byte.
  /// kComplete: `head` is filled and head.size bytes belong to it. kRefused: status() and reason() say why.
  /// `memo`: remembers header lines of heads that were read with the same limits, and is given these; or null.
  [[nodiscard]] Verdict scan(const char* data, std::size_t size, const HeadLimits& limits, RequestHead& head,
                             HeadMemo* memo = nullptr);

  /// The status a refused head is answered with: 400, 414, 417, 431, 501 or 505. Once refused, always refused until
  /// reset().
  [[nodiscard]] int status() const { return status_; }

  /// Why, in one sentence for the client. A static string.
  [[nodiscard]] const char* reason() const { return reason_; }

 private:
  // Where the scan goes on: the start of the first line that is not whole yet.
  std::uint32_t line_start_ = 0;
  std::uint32_t fields_start_ = 0;  // where the header lines begin, once in_fields_
  bool in_fields_ = false;
  std::uint8_t connection_ = 0;  // the options seen in Connection fields so far
  int status_ = 0;
  const char* reason_ = "";
};

}  // namespace perigee::http
