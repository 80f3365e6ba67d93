#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace perigee::http {

/// What the header of one part of a form says.
struct MultipartPart {
  std::string name;
  std::optional<std::string> filename;  ///< the last component of what was sent: never a path; may be ""
  std::string type;                     ///< as it was sent; text/plain without one (RFC 7578 section 4.4)
};

/// Takes what a MultipartParser finds. Each returns false to stop it.
class MultipartSink {
 public:
  virtual ~MultipartSink() = default;

  [[nodiscard]] virtual bool begin_part(MultipartPart part) = 0;
  /// Runs of the part's bytes, in order.
  [[nodiscard]] virtual bool part_bytes(std::string_view bytes) = 0;
  [[nodiscard]] virtual bool end_part() = 0;
};

/// Takes a multipart/form-data body apart (RFC 7578, RFC 2046 section 5.1) as it comes in. Strict: lines end with CRLF,
/// each part names its field, nested multiparts and encoded parts are refused, a line that begins like the boundary is
/// one. Preamble, epilogue and header blocks are bounded. No I/O. What it finds and its verdict do not depend on how
/// the body was cut.
class MultipartParser {
 public:
  enum class State : std::uint8_t {
    kReading,
    kDone,     ///< the last boundary has been read; an epilogue may follow
    kRefused,  ///< reason() says why
    kTooMany,  ///< more parts than allowed
    kStopped   ///< the sink wants no more
  };

  static constexpr std::size_t kLongestHeader = 8 * 1024;   ///< bytes of one part's header lines
  static constexpr std::size_t kLongestOutside = 4 * 1024;  ///< bytes of the preamble, and of the epilogue

  /// The boundary that a Content-Type names. Fails where it is not multipart/form-data, or the boundary is missing,
  /// over 70 bytes, or of other bytes than RFC 2046 allows.
  [[nodiscard]] static Result<std::string> boundary_of(std::string_view content_type);

  /// REQUIRES: `boundary` is from boundary_of(), `sink` outlives the parser.
  MultipartParser(std::string_view boundary, std::size_t most_parts, MultipartSink& sink);

  State feed(std::string_view bytes);

  /// The body is over: without the last boundary that is refused.
  State finish();

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] const std::string& reason() const { return reason_; }

 private:
  enum class Stage : std::uint8_t { kPreamble, kTail, kHeader, kBody, kEpilogue };
  // Where in the rest of a boundary's line: right behind it, behind a dash, in white space, behind CR; or behind the
  // last boundary of all.
  enum class Tail : std::uint8_t { kStart, kDash, kSpace, kReturn, kLast };

  [[nodiscard]] std::string_view read_content(std::string_view bytes);
  [[nodiscard]] std::string_view read_tail(std::string_view bytes);
  [[nodiscard]] std::string_view read_header(std::string_view bytes);
  [[nodiscard]] std::string_view read_epilogue(std::string_view bytes);
  void take(std::string_view content);
  void begin_content(Stage stage);
  void end_content();
  void begin_header();
  void read_line(std::string_view line);
  void end_header();
  void name_part(MultipartPart& part, std::string_view disposition);
  void refuse(std::string reason);
  void stop_unless(bool wanted);

  std::string delimiter_;  // CRLF, two dashes and the boundary
  std::size_t most_parts_;
  MultipartSink& sink_;
  State state_ = State::kReading;
  Stage stage_ = Stage::kPreamble;
  Tail tail_ = Tail::kStart;
  std::string reason_;
  std::size_t matched_ = 0;  // bytes of the delimiter that the content ended with
  std::size_t implied_ = 0;  // of those, how many were none of the content: a line's start is as good as CRLF
  std::size_t outside_ = 0;  // bytes of preamble or epilogue
  std::size_t parts_ = 0;
  std::size_t header_size_ = 0;
  std::string line_;
  std::optional<std::string> disposition_, type_, encoding_;
};

}  // namespace perigee::http
