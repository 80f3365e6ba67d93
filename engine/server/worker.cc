#include "server/worker.h"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <new>
#include <utility>

#include "base/log.h"
#include "base/marks.h"
#include "http/problem.h"
#include "server/request_ids.h"

namespace perigee::server {
namespace {

constexpr std::string_view kServerMethods = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

Milliseconds milliseconds(double seconds) { return static_cast<Milliseconds>(seconds * 1000); }

bool keep_bytes(void* context, std::string_view bytes) {
  Visit& visit = *static_cast<Visit*>(context);
  visit.body_received += bytes.size();
  if (visit.body_received > static_cast<std::uint64_t>(visit.body_limit)) {
    return false;
  }
  if (!visit.discard_body) {
    visit.body.append(bytes);
  }
  return true;
}

}  // namespace

// --- the hallway -----------------------------------------------------------------------------------------------------

void Worker::adopt(int fd, const net::PeerAddress& peer) {
  const auto verdict = setup_.limits->admit(peer, options_->connections, options_->connections_per_address);
  if (verdict != ConnectionLimits::Verdict::kAdmitted) {
    turn_away(fd, peer, verdict);
    return;
  }
  net::Connection& client = net::Connection::adopt(loop_, fd, peer, *this);
  connections_.insert(&client);
  connection_count_.fetch_add(1, std::memory_order_relaxed);
  client.set_watermark(static_cast<std::size_t>(options_->output_watermark));
  client.set_write_timeout(milliseconds(options_->write_timeout));
  client.set_deadline(monotonic_coarse_ms() + milliseconds(options_->head_timeout));
}

void Worker::serve(net::Connection& client) {
  refresh_time();
  std::int64_t left = options_->pipeline;
  while (client.open() && !client.input().empty() && !client.congested() && left > 0) {
    Visit& visit = client.context != nullptr ? *visit_of(client) : begin_visit(client);
    if (visit.stage >= Visit::Stage::kHandling || !advance(client, visit)) {
      break;
    }
    --left;
  }
  settle(client, left == 0);
}

// Takes a request as far as its bytes allow. True when it has been answered and the connection is free for the next.
bool Worker::advance(net::Connection& client, Visit& visit) {
  if (visit.stage == Visit::Stage::kHead && !read_head(client, visit)) {
    return false;
  }
  if (visit.stage == Visit::Stage::kBody && !read_body(client, visit)) {
    return false;
  }
  return conclude(visit, dispatch(visit));
}

bool Worker::read_head(net::Connection& client, Visit& visit) {
  marks.stage = Stage::kScan;
  const ByteBuffer& input = client.input();
  switch (visit.scanner.scan(input.data(), input.size(), head_limits_, visit.head)) {
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
      return keep_body_rate(client, visit) && false;
    case http::BodyFramer::State::kDone:
      visit.view.body = Slice::of(visit.body);
      visit.stage = Visit::Stage::kHandling;
      return true;
    case http::BodyFramer::State::kTooLarge:
      return refuse_and_close(visit, 413, "the body is larger than this route takes");
    case http::BodyFramer::State::kRefused:
      break;
  }
  return refuse_and_close(visit, 400, visit.framer.reason());
}

Worker::Outcome Worker::dispatch(Visit& visit) {
  visit.stage = Visit::Stage::kHandling;
  if (visit.match.outcome != http::Router::Outcome::kFound) {
    return refuse_unrouted(visit);
  }
  marks.route = visit.match.route;
  return visit.generation->dispatcher.call(visit, visit.match.route);
}

// Acts on what has become of the handler. True when the answer is complete and the connection free for the next request.
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
      if (visit.answer.kind == script::Answer::Kind::kStream) {
        return conclude(visit, begin_stream(visit));
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
      if (net::Connection* client = visit.client(); client != nullptr) {
        client->context = nullptr;
        visit.connection = nullptr;
        client->close();
      }
      return complete(visit);
    case Outcome::kDone:
      break;
  }
  release(visit);
  return false;
}

bool Worker::complete(Visit& visit) {
  marks.stage = Stage::kWrite;
  if (access_log_ != nullptr) {
    log_access(visit);
  }
  net::Connection* client = visit.client();
  const bool after = visit.task != nullptr && visit.generation->vm->has_after();
  if (client != nullptr) {
    client->context = nullptr;
    if (after) {
      visit.own_head();
    }
    if (!visit.detached) {
      client->input().consume(visit.head.size);
    }
    if (visit.close_after || draining_) {
      client->close_gracefully();
    } else {
      client->set_deadline(now_ + milliseconds(options_->idle_timeout));
      if (after) {
        client->flush();
      }
    }
  }
  visit.connection = nullptr;
  if (visit.task != nullptr && visit.generation->dispatcher.finish(visit) == Outcome::kWaiting) {
    visit.stage = Visit::Stage::kAfter;
  } else {
    release(visit);
  }
  return client != nullptr && client->open();
}

// The turn's end for one connection: sends what is there and decides whether to read on.
void Worker::settle(net::Connection& client, bool turn_over) {
  marks.stage = Stage::kIdle;
  if (!client.open() || !client.flush() || !client.open()) {
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

Visit& Worker::begin_visit(net::Connection& client) {
  if (free_visits_.empty()) {
    visits_.push_back(std::make_unique<Visit>());
    free_visits_.reserve(visits_.size());
    free_visits_.push_back(visits_.back().get());
  }
  Visit& visit = *free_visits_.back();
  free_visits_.pop_back();
  visit.begin(client);
  visit.id = ++last_id_;
  client.context = &visit;
  if (access_log_ != nullptr) {
    visit.started_ns = monotonic_ns();
  }
  return visit;
}

void Worker::release(Visit& visit) {
  if (visit.generation != nullptr) {
    --visit.generation->pins;
  }
  visit.connection = nullptr;
  visit.generation = nullptr;
  visit.task = nullptr;
  visit.stage = Visit::Stage::kHead;
  free_visits_.push_back(&visit);
}

void Worker::match_route(Visit& visit) {
  marks.stage = Stage::kRoute;
  visit.generation = &generations_.current();
  ++visit.generation->pins;
  visit.dispatched = now_;
  const script::Vm& vm = *visit.generation->vm;
  const http::RequestHead& head = visit.head;
  visit.body_limit = options_->body;
  if (head.method == http::Method::kTrace || head.method == http::Method::kConnect) {
    visit.match.outcome = http::Router::Outcome::kMethodNotAllowed;
    visit.match.allow = kServerMethods;
    return;
  }
  if (visit.view.path.size == 1 && *visit.view.path.data == '*') {  // OPTIONS *: what the server as a whole takes (RFC 9110 section 9.3.7)
    visit.match.outcome = http::Router::Outcome::kOptions;
    visit.match.allow = kServerMethods;
    return;
  }
  visit.match = vm.router().match(head.method, visit.view.method_text.view(), visit.view.path.view(), visit.parameters);
  visit.view.parameter_count = visit.parameters.count;
  if (visit.match.outcome == http::Router::Outcome::kFound) {
    const script::RouteInfo& route = vm.routes()[static_cast<std::size_t>(visit.match.route)];
    visit.body_limit = route.body_limit >= 0 ? route.body_limit : options_->body;
  }
}

// False when the request is refused at once.
bool Worker::begin_body(net::Connection& client, Visit& visit) {
  const http::RequestHead& head = visit.head;
  visit.discard_body = visit.match.outcome != http::Router::Outcome::kFound;
  if (head.content_length > visit.body_limit) {
    return refuse_and_close(visit, 413, "the body is larger than this route takes");
  }
  visit.detach();
  if (visit.framer.begin(head, &keep_bytes, &visit) == http::BodyFramer::State::kRefused) {
    return refuse_and_close(visit, 400, visit.framer.reason());
  }
  visit.stage = Visit::Stage::kBody;
  visit.body_began = now_;
  if (head.expect_continue && client.input().empty()) {
    if (visit.discard_body) {  // the answer is known: the body need not come
      visit.close_after = true;
      visit.stage = Visit::Stage::kHandling;
      return true;
    }
    client.output().append("HTTP/1.1 100 Continue\r\n\r\n");
  }
  return true;
}

// A body may pause for body_timeout, and once that is over must have come at body_rate on the whole.
bool Worker::keep_body_rate(net::Connection& client, Visit& visit) {
  const Milliseconds patience = milliseconds(options_->body_timeout);
  const Milliseconds elapsed = now_ - visit.body_began;
  if (elapsed > patience &&
      static_cast<std::int64_t>(visit.body_received) < options_->body_rate * (elapsed - patience) / 1000) {
    return refuse_and_close(visit, 408, "the body came too slowly");
  }
  client.set_deadline(now_ + patience);
  return true;
}

Worker::Outcome Worker::refuse_unrouted(Visit& visit) {
  const http::Router::Match& match = visit.match;
  script::Refusal refusal;
  switch (match.outcome) {
    case http::Router::Outcome::kOptions:
      visit.answer.reset();
      visit.answer.status = 204;
      visit.answer.fields.append("Allow: ").append(match.allow).append("\r\n");
      return Outcome::kAnswered;
    case http::Router::Outcome::kMethodNotAllowed:
      refusal = {405, "the path does not take this method", match.allow, {}, {}, {}};
      break;
    case http::Router::Outcome::kBadParameter:
      refusal = {400,
                 "a path parameter is not of its type",
                 {},
                 match.refused->name,
                 http::path_type_expected(match.refused->type),
                 match.refused_text.substr(0, 64)};
      return visit.generation->dispatcher.refuse(visit, refusal);
    case http::Router::Outcome::kNotFound:
    case http::Router::Outcome::kFound:
      refusal.detail = "no route takes this path";
      break;
  }
  if (visit.generation->vm->has_refusal_hook()) {
    return visit.generation->dispatcher.refuse(visit, refusal);
  }
  script::Dispatcher::answer_problem(visit, refusal.status, refusal.detail, request_id(visit));
  if (!refusal.allow.empty()) {
    visit.answer.fields.append("Allow: ").append(refusal.allow).append("\r\n");
  }
  return Outcome::kAnswered;
}

// The handler waits: the request's bytes move out of the connection's buffer, and its time limit begins to count.
void Worker::suspend(Visit& visit) {
  visit.detach();
  if (visit.connection == nullptr || visit.stage != Visit::Stage::kHandling || visit.limit_set) {
    return;
  }
  visit.limit_set = true;
  double limit = options_->time;
  if (visit.match.outcome == http::Router::Outcome::kFound) {
    const script::RouteInfo& route = visit.generation->vm->routes()[static_cast<std::size_t>(visit.match.route)];
    limit = route.time_limit >= 0 ? route.time_limit : limit;
  }
  visit.client()->set_deadline(visit.dispatched + milliseconds(limit));
}

Worker::Outcome Worker::begin_stream(Visit& visit) {
  visit.close_after = visit.close_after || draining_;
  visit.stage = Visit::Stage::kStreaming;
  visit.client()->clear_deadline();
  if (!answers_.begin_stream(visit)) {
    visit.chunked_answer = false;
    return Outcome::kStreamed;
  }
  return visit.generation->dispatcher.stream(visit);
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
  const Outcome outcome = dispatcher.resume(task);
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

// --- connections -----------------------------------------------------------------------------------------------------

void Worker::on_half_close(net::Connection& client) { serve(client); }

void Worker::on_drained(net::Connection& client) {
  if (Visit* visit = visit_of(client); visit != nullptr && visit->stage == Visit::Stage::kStreaming) {
    visit->task->vm.make_ready(*visit->task);
  }
  backlog_.push_back(&client);
}

void Worker::on_deadline(net::Connection& client) {
  refresh_time();
  Visit* visit = visit_of(client);
  if (visit == nullptr) {
    client.close_gracefully();
    return;
  }
  switch (visit->stage) {
    case Visit::Stage::kHead:
      visit->publish_refused();
      (void)refuse_and_close(*visit, 408, "the request's head did not come in time");
      break;
    case Visit::Stage::kBody:
      (void)refuse_and_close(*visit, 408, "the body did not come in time");
      break;
    case Visit::Stage::kHandling:
      visit->task->vm.cancel(*visit->task, script::CancelReason::kTimeLimit);
      break;
    case Visit::Stage::kStreaming:
    case Visit::Stage::kAfter:
      break;
  }
}

void Worker::on_closed(net::Connection& client) {
  if (turned_away_.erase(&client) != 0) {
    return;
  }
  connections_.erase(&client);
  connection_count_.fetch_sub(1, std::memory_order_relaxed);
  setup_.limits->release(client.peer());
  std::erase(backlog_, &client);
  std::erase(unflushed_, &client);
  Visit* visit = visit_of(client);
  if (visit == nullptr) {
    return;
  }
  client.context = nullptr;
  visit->connection = nullptr;
  if (visit->task != nullptr) {
    visit->task->vm.cancel(*visit->task, script::CancelReason::kClientGone);
  } else {
    release(*visit);
  }
}

void Worker::turn_away(int fd, const net::PeerAddress& peer, ConnectionLimits::Verdict verdict) {
  static constexpr std::size_t kMostAtOnce = 256;
  if (turned_away_.size() >= kMostAtOnce) {
    ::close(fd);
    return;
  }
  net::Connection& client = net::Connection::adopt(loop_, fd, peer, *this);
  turned_away_.insert(&client);
  const std::string_view why = verdict == ConnectionLimits::Verdict::kTooMany
                                   ? "the server has all the connections it takes"
                                   : "this address has all the connections it may have";
  const std::string body = http::problem_json(503, why, "");
  http::ResponseHead head;
  head.status = 503;
  head.content_type = http::kProblemType;
  head.fields = "Retry-After: 1\r\n";
  head.length = body.size();
  head.persistence = http::Persistence::kClose;
  refresh_time();
  answers_.write(client.output(), head, body);
  client.close_gracefully();
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

std::string Worker::request_id(const script::Exchange& exchange) {
  return request_id_text(setup_.number, exchange.id);
}

std::string Worker::remote_address(const script::Exchange& exchange) {
  const auto& visit = static_cast<const Visit&>(exchange);
  return visit.connection == nullptr ? visit.peer.text() : visit.client()->peer().text();
}

bool Worker::begin_operation(script::Task& task, std::string_view name) {
  if (!setup_.operation) {
    return false;
  }
  const double serial = task.view.serial;
  setup_.operation(name, [this, &task, serial](std::string result) {
    loop_.post([&task, serial, result = std::move(result)] {
      if (task.view.serial == serial) {
        task.result = result;
        task.vm.make_ready(task);
      }
    });
  });
  return true;
}

// --- the turn --------------------------------------------------------------------------------------------------------

// Ends a turn of the loop: resumes what is ready, goes on with connections that had more than their share, sends what
// streams wrote. True when there is more to do at once.
bool Worker::end_turn() {
  generations_.each([&](Generation& generation) {
    for (script::Task* task : generation.vm->take_ready()) {
      resume(*task);
    }
  });
  for (net::Connection* client : std::exchange(backlog_, {})) {
    if (connections_.contains(client)) {
      serve(*client);
    }
  }
  for (net::Connection* client : std::exchange(unflushed_, {})) {
    if (connections_.contains(client) && client->open()) {
      settle(*client, false);
    }
  }
  bool more = !backlog_.empty() || !unflushed_.empty();
  generations_.each([&more](const Generation& generation) { more = more || generation.vm->has_ready(); });
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

void Worker::log_access(const Visit& visit) {
  const http::RequestHead& head = visit.head;
  const std::string id = request_id(visit);
  const std::string remote = remote_address(visit);
  AccessRecord record;
  record.time_ms = static_cast<std::int64_t>(wall_seconds() * 1000);
  record.duration_us = (monotonic_ns() - visit.started_ns) / 1000;
  record.id = id;
  record.remote = remote;
  record.method = visit.view.method_text.view();
  record.target = visit.view.target.view();
  record.version = head.minor_version == 1 ? "HTTP/1.1" : "HTTP/1.0";
  record.path = visit.view.path.view();
  record.referer = head.field(http::KnownField::kReferer);
  record.agent = head.field(http::KnownField::kUserAgent);
  if (visit.match.outcome == http::Router::Outcome::kFound && visit.match.route >= 0) {
    record.route = visit.generation->vm->routes()[static_cast<std::size_t>(visit.match.route)].pattern;
  }
  record.status = visit.answer.status;
  record.bytes = visit.bytes_sent;
  access_log_->write(record);
  if (!access_flush_.pending()) {
    loop_.timers().add(access_flush_, now_ + AccessLog::kFlushMs);
  }
}

}  // namespace perigee::server
