#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "client/content_decoder.h"
#include "http/response_reader.h"

namespace perigee::client {

/// The answer to a request as its bytes come: its head, and its body with framing and content coding taken off, which
/// is held to a size. One that is whole or has failed may begin anew. No I/O.
class HttpAnswer {
 public:
  enum class Outcome : std::uint8_t {
    kMore,   ///< all bytes were taken, and it goes on
    kWhole,  ///< nothing more belongs to it
    kFailed  ///< error() says why
  };

  /// Prepares for the answer to a request of that method. `decodes`: gzip and br are taken off; `most`: bytes that the
  /// body may have, decoded; 0: as many as come.
  void begin(std::string_view method, bool decodes, std::uint64_t most);

  /// Takes what came. REQUIRES: nothing but kMore was said since begin().
  [[nodiscard]] Outcome feed(std::string_view bytes);
  /// The peer sends no more: never kMore. REQUIRES: as feed().
  [[nodiscard]] Outcome end();

  /// By a first word of the error convention.
  [[nodiscard]] const std::string& error() const { return error_; }

  /// Whether its head is there, and promises no more than may come.
  [[nodiscard]] bool has_head() const { return has_head_; }
  /// REQUIRES: has_head().
  [[nodiscard]] int status() const { return reader_.status(); }
  /// Its bytes, from the status line to the empty line. REQUIRES: has_head().
  [[nodiscard]] std::string_view head() const { return reader_.head(); }
  /// Whether a coding is taken off the body: its length and coding as the head says them are not what is here.
  [[nodiscard]] bool decoded() const { return decoder_ != nullptr; }
  /// Of one that is whole, whether another request may follow on the connection: nothing came behind it.
  [[nodiscard]] bool keeps_open() const { return !exceeded_ && reader_.keeps_open(); }

  /// What of the body is here and was not dropped.
  [[nodiscard]] const std::string& body() const { return body_; }
  void drop_body() { body_.clear(); }
  /// Bytes that it has room for.
  [[nodiscard]] std::size_t room() const { return body_.capacity(); }

 private:
  [[nodiscard]] bool take_head();
  [[nodiscard]] bool decode(std::string_view coded);
  [[nodiscard]] Outcome ended();
  Outcome fail(std::string error);

  http::ResponseReader reader_;
  std::unique_ptr<ContentDecoder> decoder_;
  std::string body_;
  std::string error_;
  std::uint64_t most_ = 0;
  std::uint64_t received_ = 0;  // bytes of the body, decoded
  bool decodes_ = false;
  bool has_head_ = false;
  bool exceeded_ = false;  // bytes came that are not its own
};

}  // namespace perigee::client
