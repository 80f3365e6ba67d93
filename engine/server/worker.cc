#include "server/worker.h"

#include <ctime>
#include <new>
#include <utility>

#include "base/log.h"
#include "base/marks.h"

namespace perigee::server {

// --- the hallway -----------------------------------------------------------------------------------------------------

net::Connection* Worker::adopt(int fd, const net::PeerAddress& peer) {
  const net::PeerAddress known = proxy_header_ ? net::PeerAddress() : peer;  // whose it is, a header is to say
  connections_.make_room();
  const auto verdict = setup_.limits->admit(known, options_->connections, options_->connections_per_address);
  if (verdict != ConnectionLimits::Verdict::kAdmitted) {
    if (fd != net::Connection::kInMemory) {
      turn_away(fd, peer, verdict);
    }
    return nullptr;
  }
  net::Connection& client = open_admitted(fd, known);
  connections_.insert(client);
  meter_.count_accepted();
  connection_count_.fetch_add(1, std::memory_order_relaxed);
  client.set_watermark(static_cast<std::size_t>(options_->output_watermark));
  client.set_write_timeout(milliseconds(options_->write_timeout));
  client.set_deadline(monotonic_coarse_ms() + milliseconds(options_->head_timeout));
  if (proxy_header_) {
    await_proxy_header(client, peer);
  }
  return &client;
}

net::Connection& Worker::open_admitted(int fd, const net::PeerAddress& known) try {
  return net::Connection::adopt(loop_, fd, known, *this);
} catch (const std::bad_alloc&) {
  setup_.limits->release(known);
  throw;
}

void Worker::serve(net::Connection& client) {
  refresh_time();
  arrived_ = ticks();
  std::int64_t left = options_->pipeline;
  while (!client.input().empty() && client.open() && !client.congested() && left > 0) {
    Visit& visit = client.context != nullptr ? *visit_of(client) : begin_visit(client);
    if (visit.stage >= Visit::Stage::kHandling ? !attend(client, visit) : !advance(client, visit)) {
      break;
    }
    --left;
  }
  settle(client, left == 0);
}

// Takes a request as far as its bytes allow. True when it has been answered and the connection is free for the next.
bool Worker::advance(net::Connection& client, Visit& visit) {
  if (visit.stage == Visit::Stage::kHead) {
    if (!read_head(client, visit)) {
      return false;
    }
  } else if (visit.stage == Visit::Stage::kProxyHeader) {
    return read_proxy_header(client, visit);
  }
  if (visit.stage == Visit::Stage::kBody && !read_body(client, visit)) {
    return false;
  }
  return conclude(visit, dispatch(visit));
}

bool Worker::read_head(net::Connection& client, Visit& visit) {
  marks.stage = Stage::kScan;
  const ByteBuffer& input = client.input();
  http::HeadMemo* const memo = client.served() ? head_memos_.of(&client) : nullptr;
  switch (visit.scanner.scan(input.data(), input.size(), head_limits_, visit.head, memo)) {
    case http::HeadScanner::Verdict::kComplete:
      return enter(client, visit);
    case http::HeadScanner::Verdict::kIncomplete:
      if (!visit.head_timed) {
        visit.head_timed = true;
        client.set_deadline(now_ + milliseconds(options_->head_timeout));
      }
      return false;
    case http::HeadScanner::Verdict::kRefused:
      break;
  }
  visit.publish_refused();
  meter_.refuse(profiler::RefusalReason::kHead);
  return refuse_and_close(visit, visit.scanner.status(), visit.scanner.reason());
}

// The head is whole: finds the route and prepares for the body. False when there is nothing to dispatch.
bool Worker::enter(net::Connection& client, Visit& visit) {
  visit.publish();
  match_route(visit);
  if (visit.head.has_body()) {
    return begin_body(client, visit);
  }
  visit.stage = Visit::Stage::kHandling;
  return true;
}

bool Worker::read_body(net::Connection& client, Visit& visit) {
  client.input().consume(visit.framer.feed(client.input().readable()));
  switch (visit.framer.state()) {
    case http::BodyFramer::State::kReading:
      if (visit.body.size() > static_cast<std::size_t>(options_->body_buffer)) {
        begin_intake(visit);
        return true;
      }
      return keep_body_rate(client, visit) && false;
    case http::BodyFramer::State::kDone:
      visit.end_body();
      visit.stage = Visit::Stage::kHandling;
      visit.dispatched = now_;
      return true;
    case http::BodyFramer::State::kTooLarge:
      return refuse_body(visit, 413, "the body is larger than this route takes");
    case http::BodyFramer::State::kRefused:
      break;
  }
  return refuse_body(visit, 400, visit.framer.reason());
}

Worker::Outcome Worker::dispatch(Visit& visit) {
  visit.stage = Visit::Stage::kHandling;
  meter_.enter(Stage::kLua);
  if (visit.match.outcome != http::Router::Outcome::kFound) {
    return refuse_unrouted(visit);
  }
  marks.route = visit.match.route;
  return visit.generation->dispatcher.call(visit, visit.match.route);
}

// Acts on what has become of the handler. True when the answer is complete and the connection free for the next
// request.
bool Worker::conclude(Visit& visit, Outcome outcome) {
  switch (outcome) {
    case Outcome::kWaiting:
      suspend(visit);
      return false;
    case Outcome::kAnswered:
      if (visit.connection == nullptr) {
        return complete(visit);
      }
      marks.stage = Stage::kSerialize;
      meter_.enter(Stage::kSerialize);
      if (visit.answer.kind >= script::Answer::Kind::kStream) {
        return begin_long_answer(visit);
      }
      if (visit.intake != nullptr) {
        return answer_early(visit);
      }
      visit.close_after = visit.close_after || draining_;
      answers_.write_whole(visit);
      return complete(visit);
    case Outcome::kStreamed:
      if (visit.connection != nullptr) {
        AnswerWriter::end_stream(visit);
      }
      return complete(visit);
    case Outcome::kBroken:
      break_off(visit);
      return complete(visit);
    case Outcome::kDone:
      break;
  }
  release(visit);
  return false;
}

bool Worker::begin_long_answer(Visit& visit) {
  switch (visit.answer.kind) {
    case script::Answer::Kind::kFile:
      return begin_file(visit);
    case script::Answer::Kind::kChannel:
      return begin_channel(visit);
    case script::Answer::Kind::kWhole:
    case script::Answer::Kind::kReady:
    case script::Answer::Kind::kStream:
      break;
  }
  return conclude(visit, begin_stream(visit));
}

bool Worker::complete(Visit& visit) {
  marks.stage = Stage::kWrite;
  meter_.enter(Stage::kWrite);
  if (!visit.measured) {
    measure(visit);
  }
  if (access_log_ != nullptr) {
    log_access(visit);
  }
  net::Connection* client = visit.client();
  const bool after = visit.task != nullptr && visit.generation->vm->has_after();
  if (client != nullptr) {
    client->context = nullptr;
    if (after) {
      visit.detach();
    }
    if (!visit.detached) {
      client->input().consume(visit.head.size);
    }
    if (visit.close_after || draining_) {
      client->close_gracefully();
    } else {
      client->set_deadline(now_ + idle_timeout_);
      if (after) {
        client->flush();
      }
    }
  }
  part(visit);
  return client != nullptr && client->open();
}

// The connection goes on without the visit, which ends when the hooks that still run have.
void Worker::part(Visit& visit) {
  visit.connection = nullptr;
  if (visit.task != nullptr && visit.generation->dispatcher.finish(visit) == Outcome::kWaiting) {
    visit.stage = Visit::Stage::kAfter;
  } else {
    release(visit);
  }
}

// The turn's end for one connection: sends what is there and decides whether to read on.
void Worker::settle(net::Connection& client, bool turn_over) {
  marks.stage = Stage::kIdle;
  const bool sent = client.open() && client.flush() && client.open();
  meter_.enter(Stage::kIdle);
  if (!sent) {
    return;
  }
  const Visit* visit = visit_of(client);
  const bool answering = visit != nullptr && visit->stage >= Visit::Stage::kHandling;
  if (client.half_closed() && !answering && !turn_over && !client.congested()) {
    client.close_gracefully();  // no more bytes will come: what is unfinished stays so
    return;
  }
  const bool read = !client.congested() && !(answering && client.input().size() >= kInputLimit);
  if (read != client.reading()) {
    client.set_reading(read);
  }
  if (turn_over && !client.input().empty()) {
    backlog_.push_back(&client);
  }
}

// --- side rooms ------------------------------------------------------------------------------------------------------

// One more for the pool.
[[gnu::noinline]] void Worker::add_visit() {
  visits_.push_back(std::make_unique<Visit>());
  free_visits_.reserve(visits_.size());
  free_visits_.push_back(visits_.back().get());
}

// The handler waits: the request's bytes move out of the connection's buffer, and its time limit begins to count.
void Worker::suspend(Visit& visit) {
  visit.detach();
  visit.suspended = ticks();
  meter_.leave_sample();
  if (visit.connection == nullptr || visit.stage != Visit::Stage::kHandling || visit.limit_set) {
    return;
  }
  visit.limit_set = true;
  double limit = options_->time;
  if (visit.match.outcome == http::Router::Outcome::kFound) {
    const script::RouteInfo& route = visit.generation->vm->routes()[static_cast<std::size_t>(visit.match.route)];
    limit = route.time_limit >= 0 ? route.time_limit : limit;
  }
  visit.handler_deadline = visit.dispatched + milliseconds(limit);
  const bool for_body = visit.intake != nullptr && visit.intake->awaited();
  visit.client()->set_deadline(for_body ? now_ + milliseconds(options_->body_timeout) : visit.handler_deadline);
}

// Answers without Lua, and ends the connection: what follows on it can't be trusted or won't be read.
bool Worker::refuse_and_close(Visit& visit, int status, std::string_view detail) {
  script::Dispatcher::answer_problem(visit, status, detail, request_id(visit));
  visit.close_after = true;
  visit.detach();
  answers_.write_whole(visit);
  (void)complete(visit);
  return false;
}

void Worker::resume(script::Task& task) {
  auto* visit = static_cast<Visit*>(task.exchange);
  script::Dispatcher dispatcher(task.vm);
  refresh_time();
  if (visit != nullptr && visit->suspended != 0) {
    const auto operation = profiler::operation_of(static_cast<std::uint32_t>(task.view.site));
    const Ticks waited = ticks_between(std::exchange(visit->suspended, 0), ticks());
    meter_.count_wait(operation, waited);
    visit->add_wait(operation, waited);
  }
  task.vm.end_wait(task, counted_route(visit));
  const Marks now = marks;
  mark_route(visit);
  const Outcome outcome = dispatcher.resume(task);
  marks = now;
  if (visit == nullptr) {
    return;
  }
  net::Connection* client = visit->client();
  if (conclude(*visit, outcome) && client != nullptr) {
    serve(*client);
  } else if (client != nullptr && client->open()) {
    settle(*client, false);
  }
}

// --- the turn --------------------------------------------------------------------------------------------------------

// Ends a turn of the loop: resumes what is ready, goes on with connections that had more than their share, sends what
// streams wrote. True when there is more to do at once.
bool Worker::end_turn() {
  generations_.each([&](Generation& generation) {
    for (script::Task* task : generation.vm->take_ready()) {
      try {
        resume(*task);
      } catch (const std::bad_alloc&) {
        log_event(LogLevel::kError, "out of memory: a task was dropped");
      }
    }
  });
  for (net::Connection* client : std::exchange(backlog_, {})) {
    if (connections_.contains(*client)) {
      serve(*client);
    }
  }
  for (net::Connection* client : std::exchange(unflushed_, {})) {
    if (connections_.contains(*client) && client->open()) {
      settle(*client, false);
    }
  }
  bool more = channels_.run() || !backlog_.empty() || !unflushed_.empty();
  generations_.each([&more](const Generation& generation) {
    generation.vm->look_for_collection();
    more = more || generation.vm->has_ready();
  });
  return more;
}

// The time is read once a turn of the loop: what the turn serves came together.
void Worker::refresh_time() {
  if (time_turn_ != loop_.turn()) {
    time_turn_ = loop_.turn();
    now_ = monotonic_coarse_ms();
    answers_.set_time(std::time(nullptr));
  }
}

}  // namespace perigee::server
