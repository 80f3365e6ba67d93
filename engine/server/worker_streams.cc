// Answers that are written in parts.

#include <algorithm>
#include <new>

#include "server/worker.h"

namespace perigee::server {

Worker::Outcome Worker::begin_stream(Visit& visit) {
  visit.close_after = visit.close_after || draining_;
  if (visit.intake != nullptr) {
    (void)leave_body(visit);
  }
  visit.detach();  // a write may find the client gone, and its buffer with it
  visit.stage = Visit::Stage::kStreaming;
  visit.client()->clear_deadline();
  measure(visit);
  if (!answers_.begin_stream(visit)) {
    visit.chunked_answer = false;
    return Outcome::kStreamed;
  }
  watch_session(visit);
  return visit.generation->dispatcher.stream(visit);
}

script::Host::Room Worker::write_stream(script::Exchange& exchange, std::string_view bytes) noexcept try {
  auto& visit = static_cast<Visit&>(exchange);
  net::Connection* client = visit.client();
  if (client == nullptr || !client->open() || visit.stage != Visit::Stage::kStreaming) {
    return Room::kClosed;
  }
  if (client->congested() && (!client->flush() || visit.connection == nullptr)) {
    return Room::kClosed;
  }
  if (client->congested()) {
    return Room::kFull;
  }
  AnswerWriter::write_part(visit, bytes);
  flush_later(*client);
  return Room::kWritten;
} catch (const std::bad_alloc&) {
  return Room::kClosed;
}

void Worker::flush_later(net::Connection& client) {
  if (std::find(unflushed_.begin(), unflushed_.end(), &client) == unflushed_.end()) {
    unflushed_.push_back(&client);
  }
}

// A stream failed midway: its client must see that the body is no whole one, but gets the answers before it.
void Worker::break_off(Visit& visit) {
  net::Connection* client = visit.client();
  if (client == nullptr) {
    return;
  }
  client->context = nullptr;
  visit.connection = nullptr;
  if (visit.chunked_answer) {
    client->close_gracefully();  // the last chunk is missing
  } else if (client->flush()) {
    client->close();
  }
}

}  // namespace perigee::server
