#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "http/request_head.h"

namespace perigee::http {

/// Takes the framing off a request's body. A body with a Content-Length is counted: there is nothing in it to read two
/// ways (the fuzzers hold that http-parser counts the same). A chunked one is framed by http-parser; because Debian's
/// build is lax, a strict walk over the chunk lines runs beside it, and a body is refused unless both agree. Trailers
/// are dropped. No I/O. Owned by one exchange.
class BodyFramer {
 public:
  enum class State : std::uint8_t { kReading, kDone, kRefused, kTooLarge };

  /// Called with each run of body bytes, in order. Returns false to stop (State::kTooLarge follows).
  using Sink = bool (*)(void* context, std::string_view bytes);

  BodyFramer();
  ~BodyFramer();
  BodyFramer(const BodyFramer&) = delete;
  BodyFramer& operator=(const BodyFramer&) = delete;

  /// Prepares for the body that `head` announces. REQUIRES: head.has_body(). kRefused when http-parser reads the head's
  /// framing otherwise than the scanner did.
  [[nodiscard]] State begin(const RequestHead& head, Sink sink, void* context);

  /// The same for a body whose framing is known: of so many bytes, or chunked where there is no length. An answer's.
  [[nodiscard]] State begin(std::optional<std::uint64_t> length, Sink sink, void* context);

  /// Consumes body bytes; returns how many belonged to this body (all of them while kReading). The verdict and the
  /// bytes that reach the sink do not depend on how the body was cut; of a refused one the count says nothing.
  [[nodiscard]] std::size_t feed(std::string_view bytes);

  [[nodiscard]] State state() const { return state_; }
  /// Bytes that are still to come; nothing of a chunked body, where nobody knows.
  [[nodiscard]] std::optional<std::uint64_t> rest() const;
  [[nodiscard]] const char* reason() const { return reason_; }

 private:
  struct Parser;

  [[nodiscard]] State begin_counted(std::uint64_t length, Sink sink, void* context);
  void begin_chunked(Sink sink, void* context);
  [[nodiscard]] std::size_t feed_counted(std::string_view bytes);
  void settle(bool read);
  void refuse(const char* reason);

  std::unique_ptr<Parser> parser_;  // of chunked bodies
  Sink sink_ = nullptr;
  void* context_ = nullptr;
  std::uint64_t left_ = 0;  // of a body with a Content-Length
  bool chunked_ = false;
  State state_ = State::kDone;
  const char* reason_ = "";
};

}  // namespace perigee::http
