// Answers that are sent from files. A visit stays with its connection until the last byte is on its way.

#include <utility>

#include "base/log.h"
#include "base/marks.h"
#include "server/worker.h"

namespace perigee::server {

// True when all of it was sent at once and the connection is free for the next request.
bool Worker::begin_file(Visit& visit) {
  visit.close_after = visit.close_after || draining_;
  if (visit.intake != nullptr && leave_body(visit) != 0) {
    visit.close_after = true;  // what is left of the body would have to be passed over
  }
  visit.detach();
  visit.stage = Visit::Stage::kSending;
  visit.piece = 0;
  measure(visit);
  visit.client()->clear_deadline();
  if (!answers_.begin_file(visit)) {
    return complete(visit);
  }
  marks.stage = Stage::kWrite;
  net::Connection& client = *visit.client();
  const bool sent = send_pieces(visit);
  if (!sent && visit_of(client) == &visit) {
    let_go(visit);
  }
  return sent;
}

// A download may take hours, through any number of reloads: unless hooks wait for its end, the app's part is over.
void Worker::let_go(Visit& visit) {
  if (visit.task == nullptr || visit.generation->vm->has_after()) {
    return;
  }
  if (access_log_ != nullptr) {
    visit.route.assign(visit.generation->vm->routes()[static_cast<std::size_t>(visit.match.route)].pattern);
  }
  (void)visit.generation->dispatcher.finish(visit);
  visit.task = nullptr;
  --visit.generation->pins;
  visit.generation = nullptr;
}

// A buffer without a block has no place where nothing could be copied to.
static void append_some(ByteBuffer& output, std::string_view text) {
  if (!text.empty()) {
    output.append(text);
  }
}

bool Worker::send_pieces(Visit& visit) {
  using State = net::Connection::FileState;
  files::FileBody& body = *visit.answer.file;
  net::Connection& client = *visit.client();
  while (visit.piece < body.pieces.size()) {
    const files::FileBody::Piece& piece = body.pieces[visit.piece++];
    append_some(client.output(), piece.ahead);
    visit.bytes_sent += piece.ahead.size() + piece.range.size;
    switch (client.send_file(body.file->descriptor(), piece.range.first, piece.range.size)) {
      case State::kSent:
        break;
      case State::kPending:
      case State::kClosed:  // on_closed() has ended the visit
        return false;
      case State::kShort:
        break_off_file(client, visit);
        return false;
    }
  }
  append_some(client.output(), body.tail);
  visit.bytes_sent += body.tail.size();
  return complete(visit);
}

void Worker::on_file_sent(net::Connection& client, bool whole) {
  refresh_time();
  Visit& visit = *visit_of(client);
  if (!whole) {
    break_off_file(client, visit);
  } else if (send_pieces(visit)) {
    backlog_.push_back(&client);
  }
}

// The head promised more than the file now has: only the end of the connection says so.
void Worker::break_off_file(net::Connection& client, Visit& visit) {
  log_sink().write(LogLevel::kError, "a file became shorter while it was sent: " + std::string(visit.view.path.view()),
                   "", request_id(visit));
  client.context = nullptr;
  visit.connection = nullptr;
  client.close();
  (void)complete(visit);
}

}  // namespace perigee::server
