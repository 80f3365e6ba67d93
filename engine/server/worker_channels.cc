// Answers that make a connection a subscriber.

#include <optional>
#include <string>
#include <utility>

#include "base/marks.h"
#include "server/worker.h"

namespace perigee::server {
namespace {

std::optional<std::string> last_event_id(const http::RequestHead& head) {
  const auto index = head.find("last-event-id", 0);
  if (index == http::RequestHead::kAbsent) {
    return std::nullopt;
  }
  return std::string(head.text(head.fields[index].value));
}

}  // namespace

// The head goes out; then the connection belongs to the channels, and what is left of the request ends. True when the
// connection is free for the next one: it was only asked for the head.
bool Worker::begin_channel(Visit& visit) {
  visit.close_after = visit.close_after || draining_;
  if (visit.intake != nullptr && leave_body(visit) != 0) {
    visit.close_after = true;
  }
  net::Connection& client = *visit.client();
  const bool wants_body = answers_.begin_stream(visit);
  if (!wants_body || draining_) {
    if (wants_body) {
      AnswerWriter::end_stream(visit);
    }
    return complete(visit);
  }
  marks.stage = Stage::kWrite;
  meter_.enter(Stage::kWrite);
  measure(visit);
  if (access_log_ != nullptr) {
    log_access(visit);
  }
  visit.detach();
  client.context = nullptr;
  channels_.admit({&client, std::move(visit.answer.channel), last_event_id(visit.head), visit.chunked_answer,
                   visit.session.exists() ? visit.session.session() : state::SessionRef(), setup_.sessions});
  part(visit);
  return false;
}

}  // namespace perigee::server
