#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace perigee::http {

// Framing of event streams: WHATWG HTML section 9.2, "Server-sent events".

/// What an event stream is sent as; always UTF-8.
inline constexpr std::string_view kEventStream = "text/event-stream";

/// A comment, which clients ignore: it keeps proxies from closing a connection on which nothing happens.
inline constexpr std::string_view kSseHeartbeat = ":\n\n";

/// One event, or what it says to its client besides.
struct SseEvent {
  std::optional<std::string_view> data = {};   ///< any bytes; without it clients dispatch no event
  std::optional<std::string_view> event = {};  ///< its type
  std::optional<std::string_view> id = {};     ///< what a client that comes back sends as Last-Event-ID; "" resets it
  std::int64_t retry = -1;                     ///< milliseconds to wait before coming back; below 0: not said
};

/// Where the parts of an event stand that begins at 0.
struct SsePlaces {
  std::size_t id = 0;
  std::size_t data = 0;  ///< where it is one line; the data is there as it was given
  bool one_line = true;  ///< false: it was split
};

/// Whether `text` may be an event's type or id: it holds no CR, LF or NUL.
[[nodiscard]] bool is_sse_field(std::string_view text);

/// Appends the event: event, id, retry and data lines, and the empty line. Data is split where a line ends, by LF, CR
/// or CR LF; a client joins the lines by LF. REQUIRES: is_sse_field() of type and id.
SsePlaces append_sse(std::string& out, const SseEvent& event);

}  // namespace perigee::http
