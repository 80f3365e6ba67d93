#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "http/body_framer.h"
#include "http/request_head.h"

namespace perigee::http {

/// Reads the answer to a request as it comes in pieces: its head, then its body with the framing taken off. Strict as
/// RFC 9112 allows, since what two readers read differently is how answers get mixed up: lines end in CRLF, names are
/// tokens, nothing is folded, a length is said once and never beside an encoding, and the only encoding is chunked.
/// Answers with 1xx are passed over. A head that is byte for byte the one before is not read again. No I/O.
class ResponseReader {
 public:
  enum class State : std::uint8_t {
    kHead,
    kBody,
    kDone,
    kRefused  ///< reason() says why
  };
  struct Field {
    std::string_view name;  ///< as it was sent; within the reader, until begin()
    std::string_view value;
  };

  static constexpr std::size_t kMostHead = 64 * 1024;  ///< bytes of a head, with those of 1xx before it
  static constexpr std::size_t kMostFields = 256;

  /// Prepares for the answer to a request of that method: HEAD has no body, CONNECT none where it succeeds.
  void begin(std::string_view method);

  /// Consumes bytes and adds what belongs to the body to `body`; returns how many were taken: all of them, unless the
  /// answer is done or refused.
  [[nodiscard]] std::size_t feed(std::string_view bytes, std::string& body);

  /// The peer sends no more: ends a body that is ended by that, and refuses anything else that is not done.
  void end();

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] const char* reason() const { return reason_; }

  // Of a head that is there: state() beyond kHead.
  [[nodiscard]] int status() const { return status_; }
  /// Its bytes, from the status line to the empty line.
  [[nodiscard]] std::string_view head() const { return head_; }
  [[nodiscard]] const std::vector<Field>& fields() const { return fields_; }
  /// The first value of a field; empty without one.
  [[nodiscard]] std::string_view field(std::string_view name) const;
  /// Whether another request may follow on the connection.
  [[nodiscard]] bool keeps_open() const { return keeps_open_ && framing_ != Framing::kUntilEnd; }
  /// The body's length, where the head says it; -1 else.
  [[nodiscard]] std::int64_t length() const { return framing_ == Framing::kCounted ? length_ : -1; }

 private:
  enum class Framing : std::uint8_t { kNone, kCounted, kChunked, kUntilEnd };

  [[nodiscard]] std::size_t take_head(std::string_view bytes);
  [[nodiscard]] std::size_t take_counted(std::string_view bytes, std::string& body);
  void read_head();
  void forget_head();
  void begin_body();
  [[nodiscard]] bool read_status_line(std::string_view line);
  [[nodiscard]] bool read_field(std::string_view line);
  [[nodiscard]] bool decide_framing();
  [[nodiscard]] bool read_length(std::string_view text);
  void refuse(const char* reason);

  State state_ = State::kHead;
  const char* reason_ = "";
  bool to_head_ = false;
  bool to_connect_ = false;
  std::string head_;
  bool known_ = false;      // head_ is a whole one that was found good, and the members below are what it came to
  bool compares_ = false;   // the next answer may have the same
  std::size_t passed_ = 0;  // bytes of 1xx answers
  int status_ = 0;
  int minor_version_ = 1;
  std::vector<Field> fields_;
  Framing framing_ = Framing::kNone;
  std::int64_t length_ = -1;
  std::uint64_t left_ = 0;  // bytes of a body that has a length
  bool keeps_open_ = false;
  BodyFramer framer_;            // of chunked bodies
  std::string* body_ = nullptr;  // while feed() runs
};

}  // namespace perigee::http
