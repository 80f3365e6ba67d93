#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <string>
#include <string_view>

#include "base/byte_buffer.h"
#include "http/text_words.h"

namespace perigee::http {

/// The content type of plain answers. Heads whose content_type is this very text are written fastest.
inline constexpr std::string_view kPlainText = "text/plain; charset=utf-8";
inline constexpr std::string_view kJsonType = "application/json";

/// The reason phrase of a status code; "Unknown" for one without.
[[nodiscard]] std::string_view reason_phrase(int status);

/// Whether answers of this status never have a body: 1xx, 204, 304 (RFC 9110 section 6.4.1).
[[nodiscard]] constexpr bool status_forbids_body(int status) {
  return status < 200 || status == 204 || status == 304;
}

/// How a response's body is delimited on the wire (RFC 9112 section 6).
enum class Framing : std::uint8_t {
  kLength,   ///< Content-Length
  kChunked,  ///< Transfer-Encoding: chunked (HTTP/1.1 only)
  kClose,    ///< by the end of the connection (HTTP/1.0 streams)
  kNone      ///< neither field: statuses that forbid a body
};

/// What the Connection field of a response says.
enum class Persistence : std::uint8_t {
  kImplied,    ///< nothing: 1.1 keeps alive
  kKeepAlive,  ///< "keep-alive", for a 1.0 client that asked
  kClose       ///< "close"
};

/// The variable parts of a response's head.
struct ResponseHead {
  int status = 200;
  std::string_view content_type;  ///< left out when empty
  std::string_view fields;        ///< more whole lines, each ended by CRLF, valid already
  std::uint64_t length = 0;       ///< for Framing::kLength: of the body a GET would get
  Framing framing = Framing::kLength;
  Persistence persistence = Persistence::kImplied;
};

/// Writes response heads. Keeps status line, Server and Date ready-made and renews the date each second. One thread.
class ResponseSerializer {
 public:
  /// Until a time is named, Date says the epoch.
  ResponseSerializer();

  /// Names the time that Date says from now on (seconds since the epoch). Cheap when the second is the same.
  void set_time(std::time_t now) {
    if (now != now_) {
      renew(now);
    }
  }

  /// Appends the head, the empty line included.
  void append_head(ByteBuffer& out, const ResponseHead& head) const;

  /// Appends the head and a body of head.length bytes.
  void append(ByteBuffer& out, const ResponseHead& head, std::string_view body) const;

  /// The same, faster, of the answers that most handlers give: status 200, kPlainText or else kJsonType, kLength,
  /// kImplied.
  [[gnu::always_inline]] void append_usual(ByteBuffer& out, bool is_text, std::string_view fields,
                                           std::string_view body) const {
    const std::string& head = is_text ? plain_ : json_;
    char* const start = out.reserve(head.size() + kMostDigits + 4 + fields.size() + body.size());
    char* at = start + head.size();
    std::memcpy(start, head.data(), head.size());
    at = write_decimal(at, body.size());
    std::memcpy(at, "\r\n\r\n", 4);
    at += 4;
    if (!fields.empty()) {
      std::memcpy(at - 2, fields.data(), fields.size());
      at += fields.size();
      std::memcpy(at - 2, "\r\n", 2);
    }
    at = text_words::copy_short(at, body);
    out.commit(static_cast<std::size_t>(at - start));
  }

 private:
  static constexpr std::size_t kMostDigits = 20;

  void renew(std::time_t now);

  /// Most bodies are short. Returns the end; `at` has room for kMostDigits.
  [[nodiscard]] static char* write_decimal(char* at, std::size_t number) {
    if (number < 100) [[likely]] {
      *at = static_cast<char>('0' + number / 10);
      at += number >= 10 ? 1 : 0;
      *at = static_cast<char>('0' + number % 10);
      return at + 1;
    }
    return std::to_chars(at, at + kMostDigits, number).ptr;
  }

  std::time_t now_ = -1;
  std::string ok_;     ///< "HTTP/1.1 200 OK\r\nServer: perigee\r\nDate: ...\r\n"
  std::string plain_;  ///< the same with the Content-Type of kPlainText, up to the digits of Content-Length
  std::string json_;   ///< the same with that of kJsonType
};

/// Appends one chunk of a chunked body; nothing for empty `bytes`, which would end the body.
void append_chunk(ByteBuffer& out, std::string_view bytes);

/// Appends `bytes` as one chunk to a string; returns where they stand in it. REQUIRES: some.
std::size_t append_chunk(std::string& out, std::string_view bytes);

/// The chunk that ends a chunked body.
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

/// Appends the chunk that ends a chunked body.
void append_last_chunk(ByteBuffer& out);

/// A time as IMF-fixdate (RFC 9110 section 5.6.7): "Sun, 06 Nov 1994 08:49:37 GMT".
[[nodiscard]] std::string http_date(std::time_t time);

}  // namespace perigee::http
