#pragma once

#include <ctime>

#include "http/response.h"
#include "server/visit.h"

namespace perigee::server {

/// Puts answers on the wire: decides framing and persistence by the request, and serializes. Worker's thread only.
class AnswerWriter {
 public:
  /// Names the time for Date.
  void set_time(std::time_t now) { serializer_.set_time(now); }

  /// Appends a whole answer to its connection's output. REQUIRES: visit.client().
  [[gnu::always_inline]] void write_whole(Visit& visit) {
    if (!is_usual(visit)) {
      write_unusual(visit);
      return;
    }
    const std::string_view body = visit.answer.body;
    visit.bytes_sent = body.size();
    const bool is_text = visit.answer.content_type.data() == http::kPlainText.data();
    serializer_.append_usual(visit.client()->output(), is_text, visit.answer.fields.view(), body);
  }

  /// Appends an answer that belongs to no request.
  void write(ByteBuffer& out, const http::ResponseHead& head, std::string_view body) const {
    serializer_.append(out, head, body);
  }

  /// Appends a streamed answer's head. False when the request or the status wants no body: nothing may follow.
  [[nodiscard]] bool begin_stream(Visit& visit);

  /// Appends the head of an answer that is sent from a file. False when the request wants no body.
  [[nodiscard]] bool begin_file(Visit& visit);

  /// Appends the next bytes of a streamed body.
  static void write_part(Visit& visit, std::string_view bytes);

  /// Ends a streamed body.
  static void end_stream(Visit& visit);

 private:
  /// Whether it is what ResponseSerializer::append_usual() writes.
  [[nodiscard]] static bool is_usual(const Visit& visit) {
    const script::Answer& answer = visit.answer;
    const char* const type = answer.content_type.data();
    return answer.status == 200 && (type == http::kPlainText.data() || type == http::kJsonType.data()) &&
           answer.cookies.empty() && !visit.close_after && visit.head.keep_alive && visit.head.minor_version == 1 &&
           visit.head.method != http::Method::kHead;
  }
  void write_unusual(Visit& visit);
  [[nodiscard]] http::ResponseHead head_of(Visit& visit);

  http::ResponseSerializer serializer_;
  std::string fields_;  // header lines of answers that have cookies as well
};

}  // namespace perigee::server
