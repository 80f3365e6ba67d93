#include "server/answer_writer.h"

namespace perigee::server {
http::ResponseHead AnswerWriter::head_of(Visit& visit) {
  const script::Answer& answer = visit.answer;
  http::ResponseHead head;
  head.status = answer.status;
  head.content_type = answer.content_type;
  head.fields = answer.fields.view();
  if (!answer.cookies.empty()) {
    fields_.assign(answer.fields.view()).append(answer.cookies);
    head.fields = fields_;
  }
  if (!visit.head.keep_alive) {
    visit.close_after = true;
  }
  if (visit.close_after) {
    head.persistence = http::Persistence::kClose;
  } else if (visit.head.minor_version == 0) {
    head.persistence = http::Persistence::kKeepAlive;
  }
  return head;
}

void AnswerWriter::write_unusual(Visit& visit) {
  const std::string_view body = visit.answer.body;
  http::ResponseHead head = head_of(visit);
  if (http::status_forbids_body(head.status)) {
    head.framing = http::Framing::kNone;
    head.content_type = {};
    serializer_.append_head(visit.client()->output(), head);
    return;
  }
  head.length = body.size();
  if (visit.head.method == http::Method::kHead) {
    serializer_.append_head(visit.client()->output(), head);
    return;
  }
  visit.bytes_sent = body.size();
  serializer_.append(visit.client()->output(), head, body);
}

bool AnswerWriter::begin_stream(Visit& visit) {
  visit.chunked_answer = visit.head.minor_version == 1;
  if (!visit.chunked_answer) {
    visit.close_after = true;  // only the end of the connection can end the body
  }
  http::ResponseHead head = head_of(visit);
  const bool bodiless = http::status_forbids_body(head.status);
  head.framing = bodiless               ? http::Framing::kNone
                 : visit.chunked_answer ? http::Framing::kChunked
                                        : http::Framing::kClose;
  serializer_.append_head(visit.client()->output(), head);
  return !bodiless && visit.head.method != http::Method::kHead;
}

bool AnswerWriter::begin_file(Visit& visit) {
  http::ResponseHead head = head_of(visit);
  head.length = visit.answer.file->length;
  serializer_.append_head(visit.client()->output(), head);
  return visit.head.method != http::Method::kHead;
}

void AnswerWriter::write_part(Visit& visit, std::string_view bytes) {
  visit.bytes_sent += bytes.size();
  if (visit.chunked_answer) {
    http::append_chunk(visit.client()->output(), bytes);
  } else {
    visit.client()->output().append(bytes);
  }
}

void AnswerWriter::end_stream(Visit& visit) {
  if (visit.chunked_answer) {
    http::append_last_chunk(visit.client()->output());
  }
}

}  // namespace perigee::server
