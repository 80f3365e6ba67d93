#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace perigee::http {

/// Reads answers off a byte stream, one after the other (RFC 9112 section 6.3), for clients that trust their server:
/// tests. It frames, and checks no more than it needs to frame.
class AnswerReader {
 public:
  enum class State : std::uint8_t {
    kHead,    ///< more bytes are needed for the head
    kBody,    ///< the head is there, more of the body is to come
    kDone,    ///< the answer is whole
    kBroken,  ///< the stream ended inside an answer, or what came is none
  };

  /// Prepares for the next answer. What has come of it already is kept.
  void begin(bool to_head_request);

  /// Where the bytes that came go: append to it, then call advance().
  [[nodiscard]] std::string& input() { return input_; }

  /// Reads as far as the bytes go; `ended`: no more will come.
  State advance(bool ended);

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] int status() const { return status_; }
  /// The header lines as they came, each with its CRLF; valid until begin().
  [[nodiscard]] std::string_view fields() const { return fields_; }
  /// Of the body, what has come and take_body() has not taken.
  [[nodiscard]] std::string_view body() const { return body_; }
  [[nodiscard]] std::string take_body();
  /// Whether the server will close the connection after this answer.
  [[nodiscard]] bool closes() const { return closes_; }
  [[nodiscard]] bool sets_cookies() const { return sets_cookies_; }

 private:
  enum class Framing : std::uint8_t { kNone, kLength, kChunked, kClose };

  [[nodiscard]] bool read_head();
  [[nodiscard]] bool read_status(std::string_view line);
  void read_field(std::string_view line);
  void read_length(bool ended);
  void read_chunks(bool ended);
  void consume(std::size_t size) { start_ += size; }
  [[nodiscard]] std::string_view unread() const { return std::string_view(input_).substr(start_); }

  std::string input_;
  std::size_t start_ = 0;  // of what is unread in input_
  std::string fields_;
  std::string body_;
  State state_ = State::kHead;
  Framing framing_ = Framing::kNone;
  std::uint64_t left_ = 0;  // bytes of the body, or of the chunk
  int status_ = 0;
  bool in_chunk_ = false;  // its size is read, its data is not
  bool bodiless_ = false;
  bool closes_ = false;
  bool sets_cookies_ = false;
};

}  // namespace perigee::http
