#include "http/response.h"

#include <array>
#include <charconv>
#include <cstddef>
#include <cstring>

namespace perigee::http {
namespace {

struct Phrase {
  int status;
  std::string_view text;
};

/// The IANA registry of status codes (RFC 9110 section 15 and its extensions).
constexpr std::array<Phrase, 62> kPhrases = {{{100, "Continue"},
                                              {101, "Switching Protocols"},
                                              {102, "Processing"},
                                              {103, "Early Hints"},
                                              {200, "OK"},
                                              {201, "Created"},
                                              {202, "Accepted"},
                                              {203, "Non-Authoritative Information"},
                                              {204, "No Content"},
                                              {205, "Reset Content"},
                                              {206, "Partial Content"},
                                              {207, "Multi-Status"},
                                              {208, "Already Reported"},
                                              {226, "IM Used"},
                                              {300, "Multiple Choices"},
                                              {301, "Moved Permanently"},
                                              {302, "Found"},
                                              {303, "See Other"},
                                              {304, "Not Modified"},
                                              {305, "Use Proxy"},
                                              {307, "Temporary Redirect"},
                                              {308, "Permanent Redirect"},
                                              {400, "Bad Request"},
                                              {401, "Unauthorized"},
                                              {402, "Payment Required"},
                                              {403, "Forbidden"},
                                              {404, "Not Found"},
                                              {405, "Method Not Allowed"},
                                              {406, "Not Acceptable"},
                                              {407, "Proxy Authentication Required"},
                                              {408, "Request Timeout"},
                                              {409, "Conflict"},
                                              {410, "Gone"},
                                              {411, "Length Required"},
                                              {412, "Precondition Failed"},
                                              {413, "Content Too Large"},
                                              {414, "URI Too Long"},
                                              {415, "Unsupported Media Type"},
                                              {416, "Range Not Satisfiable"},
                                              {417, "Expectation Failed"},
                                              {418, "I'm a teapot"},
                                              {421, "Misdirected Request"},
                                              {422, "Unprocessable Content"},
                                              {423, "Locked"},
                                              {424, "Failed Dependency"},
                                              {425, "Too Early"},
                                              {426, "Upgrade Required"},
                                              {428, "Precondition Required"},
                                              {429, "Too Many Requests"},
                                              {431, "Request Header Fields Too Large"},
                                              {451, "Unavailable For Legal Reasons"},
                                              {500, "Internal Server Error"},
                                              {501, "Not Implemented"},
                                              {502, "Bad Gateway"},
                                              {503, "Service Unavailable"},
                                              {504, "Gateway Timeout"},
                                              {505, "HTTP Version Not Supported"},
                                              {506, "Variant Also Negotiates"},
                                              {507, "Insufficient Storage"},
                                              {508, "Loop Detected"},
                                              {510, "Not Extended"},
                                              {511, "Network Authentication Required"}}};

constexpr int kFirstStatus = 100;
constexpr int kLastStatus = 599;

/// Where a status has its phrase, and 255 where it has none.
constexpr std::array<std::uint8_t, kLastStatus - kFirstStatus + 1> phrase_places() {
  std::array<std::uint8_t, kLastStatus - kFirstStatus + 1> places{};
  places.fill(255);
  for (std::size_t i = 0; i < kPhrases.size(); ++i) {
    places[static_cast<std::size_t>(kPhrases[i].status - kFirstStatus)] = static_cast<std::uint8_t>(i);
  }
  return places;
}

constexpr auto kPhraseOf = phrase_places();

constexpr std::string_view kUnknown = "Unknown";
constexpr std::string_view kOkLine = "HTTP/1.1 200 OK\r\n";
constexpr std::string_view kContentType = "Content-Type: ";
constexpr std::string_view kContentLength = "Content-Length: ";
constexpr std::string_view kChunked = "Transfer-Encoding: chunked\r\n";
constexpr std::string_view kKeepAlive = "Connection: keep-alive\r\n";
constexpr std::string_view kClose = "Connection: close\r\n";
constexpr std::string_view kLineEnd = "\r\n";

/// Room for all that is neither of known size here nor given: lines by framing and persistence, digits, line ends.
constexpr std::size_t kSmallParts = 160;

constexpr std::size_t longest_phrase() {
  std::size_t size = 0;
  for (const Phrase& phrase : kPhrases) {
    size = phrase.text.size() > size ? phrase.text.size() : size;
  }
  return size;
}

static_assert(longest_phrase() + kContentType.size() + kContentLength.size() + kKeepAlive.size() + kChunked.size() +
                  40 <
              kSmallParts);

/// Writes one piece behind another into a place that is large enough.
class Pen {
 public:
  explicit Pen(char* at) : at_(at) {}

  void write(std::string_view text) {
    std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
  }
  void write_number(std::uint64_t number) { at_ = std::to_chars(at_, at_ + 20, number).ptr; }
  [[nodiscard]] std::size_t written_since(const char* start) const { return static_cast<std::size_t>(at_ - start); }

 private:
  char* at_;
};

void write_framing(Pen& pen, const ResponseHead& head) {
  switch (head.framing) {
    case Framing::kLength:
      pen.write(kContentLength);
      pen.write_number(head.length);
      pen.write(kLineEnd);
      return;
    case Framing::kChunked:
      pen.write(kChunked);
      return;
    case Framing::kClose:
    case Framing::kNone:
      return;
  }
}

void write_persistence(Pen& pen, Persistence persistence) {
  switch (persistence) {
    case Persistence::kImplied:
      return;
    case Persistence::kKeepAlive:
      pen.write(kKeepAlive);
      return;
    case Persistence::kClose:
      pen.write(kClose);
      return;
  }
}

/// The status line; of 200 it is part of `ok`, ready-made behind it.
void write_start(Pen& pen, int status, std::string_view ok) {
  if (status == 200) {
    pen.write(ok);
    return;
  }
  pen.write("HTTP/1.1 ");
  pen.write_number(static_cast<std::uint64_t>(status));
  pen.write(" ");
  pen.write(reason_phrase(status));
  pen.write(kLineEnd);
  pen.write(ok.substr(kOkLine.size()));
}

void write_head(Pen& pen, const ResponseHead& head, std::string_view ok) {
  write_start(pen, head.status, ok);
  if (!head.content_type.empty()) {
    pen.write(kContentType);
    pen.write(head.content_type);
    pen.write(kLineEnd);
  }
  write_framing(pen, head);
  write_persistence(pen, head.persistence);
  if (!head.fields.empty()) {
    pen.write(head.fields);
  }
  pen.write(kLineEnd);
}

}  // namespace

std::string_view reason_phrase(int status) {
  if (status < kFirstStatus || status > kLastStatus) {
    return kUnknown;
  }
  const std::uint8_t index = kPhraseOf[static_cast<std::size_t>(status - kFirstStatus)];
  return index < kPhrases.size() ? kPhrases[index].text : kUnknown;
}

ResponseSerializer::ResponseSerializer() {
  renew(0);
}

void ResponseSerializer::append_head(ByteBuffer& out, const ResponseHead& head) const {
  char* start = out.reserve(ok_.size() + head.content_type.size() + head.fields.size() + kSmallParts);
  Pen pen(start);
  write_head(pen, head, ok_);
  out.commit(pen.written_since(start));
}

void ResponseSerializer::append(ByteBuffer& out, const ResponseHead& head, std::string_view body) const {
  char* start = out.reserve(ok_.size() + head.content_type.size() + head.fields.size() + kSmallParts + body.size());
  Pen pen(start);
  write_head(pen, head, ok_);
  if (!body.empty()) {
    pen.write(body);
  }
  out.commit(pen.written_since(start));
}

void ResponseSerializer::renew(std::time_t now) {
  now_ = now;
  ok_.assign(kOkLine).append("Server: perigee\r\nDate: ").append(http_date(now)).append(kLineEnd);
  plain_.assign(ok_).append(kContentType).append(kPlainText).append(kLineEnd).append(kContentLength);
  json_.assign(ok_).append(kContentType).append(kJsonType).append(kLineEnd).append(kContentLength);
}

void append_chunk(ByteBuffer& out, std::string_view bytes) {
  if (bytes.empty()) {
    return;
  }
  char* start = out.reserve(bytes.size() + 20);
  char* const digits_end = std::to_chars(start, start + 16, bytes.size(), 16).ptr;
  Pen pen(digits_end);
  pen.write(kLineEnd);
  pen.write(bytes);
  pen.write(kLineEnd);
  out.commit(pen.written_since(start));
}

std::size_t append_chunk(std::string& out, std::string_view bytes) {
  char digits[16];
  const char* end = std::to_chars(digits, digits + sizeof digits, bytes.size(), 16).ptr;
  out.append(static_cast<const char*>(digits), end).append(kLineEnd);
  const std::size_t at = out.size();
  out.append(bytes).append(kLineEnd);
  return at;
}

void append_last_chunk(ByteBuffer& out) {
  out.append(kLastChunk);
}

std::string http_date(std::time_t time) {
  constexpr std::string_view kDays = "SunMonTueWedThuFriSat";
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  std::tm parts{};
  gmtime_r(&time, &parts);
  const auto two = [](int number) {
    return std::string{static_cast<char>('0' + number / 10), static_cast<char>('0' + number % 10)};
  };
  const int year = parts.tm_year + 1900;
  std::string text(kDays.substr(3 * static_cast<std::size_t>(parts.tm_wday), 3));
  text.append(", ").append(two(parts.tm_mday)).append(" ");
  text.append(kMonths.substr(3 * static_cast<std::size_t>(parts.tm_mon), 3)).append(" ");
  text.append(two(year / 100 % 100)).append(two(year % 100)).append(" ");
  return text.append(two(parts.tm_hour)).append(":").append(two(parts.tm_min)).append(":").append(two(parts.tm_sec)) +
         " GMT";
}

}  // namespace perigee::http
