// Bodies: those that are read before their handler runs, and those that reach it while they still arrive.

#include <algorithm>
#include <new>

#include "server/worker.h"

namespace perigee::server {
namespace {

bool keep_bytes(void* context, std::string_view bytes) {
  Visit& visit = *static_cast<Visit*>(context);
  visit.body_received += bytes.size();
  if (visit.body_received > static_cast<std::uint64_t>(visit.body_limit)) {
    return false;
  }
  return visit.discard_body || visit.keep_body(bytes);
}

// Why a body is refused, by the status that says so.
profiler::RefusalReason reason_of(int status) {
  return status == 413   ? profiler::RefusalReason::kBodyTooLarge
         : status == 408 ? profiler::RefusalReason::kBodyTimeout
                         : profiler::RefusalReason::kBody;
}

}  // namespace

// How many bytes a request's body may have.
std::int64_t Worker::body_limit_of(const Visit& visit) const {
  if (visit.match.outcome == http::Router::Outcome::kFound) {
    const script::RouteInfo& route = visit.generation->vm->routes()[static_cast<std::size_t>(visit.match.route)];
    if (route.body_limit >= 0) {
      return route.body_limit;
    }
  }
  return options_->body;
}

// False when the request is refused at once.
bool Worker::begin_body(net::Connection& client, Visit& visit) {
  const http::RequestHead& head = visit.head;
  visit.discard_body = visit.match.outcome != http::Router::Outcome::kFound;
  visit.body_limit = body_limit_of(visit);
  if (head.content_length > visit.body_limit) {
    return refuse_body(visit, 413, "the body is larger than this route takes");
  }
  visit.detach();
  if (visit.framer.begin(head, &keep_bytes, &visit) == http::BodyFramer::State::kRefused) {
    return refuse_body(visit, 400, visit.framer.reason());
  }
  visit.stage = Visit::Stage::kBody;
  visit.body_began = now_;
  const bool expects = head.expect_continue && client.input().empty();
  const bool large = head.content_length > options_->body_buffer || (expects && head.chunked);
  if (large && !visit.discard_body) {
    begin_intake(visit);
    visit.intake->owes_continue = expects;
    return true;
  }
  if (expects) {
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
  if (body_is_slow(visit, now_ - visit.body_began)) {
    return refuse_body(visit, 408, "the body came too slowly");
  }
  client.set_deadline(now_ + milliseconds(options_->body_timeout));
  return true;
}

// Answers a request whose body is not taken, by the app's hooks where it has any, and ends the connection.
bool Worker::refuse_body(Visit& visit, int status, std::string_view detail) {
  meter_.refuse(reason_of(status));
  if (!visit.generation->vm->has_refusal_hook()) {
    return refuse_and_close(visit, status, detail);
  }
  visit.close_after = true;
  visit.stage = Visit::Stage::kHandling;
  visit.dispatched = now_;
  visit.detach();
  const script::Refusal refusal{status, detail, {}, {}, {}, {}};
  return conclude(visit, visit.generation->dispatcher.refuse(visit, refusal)) && false;
}

bool Worker::body_is_slow(const Visit& visit, Milliseconds elapsed) const {
  const Milliseconds patience = milliseconds(options_->body_timeout);
  return elapsed > patience &&
         static_cast<std::int64_t>(visit.body_received) < options_->body_rate * (elapsed - patience) / 1000;
}

// --- bodies that arrive while their handler runs
// -----------------------------------------------------------------------

// The handler is called before the body has come. What it does not ask for stays in the connection's buffer, and once
// that is full in the kernel's and the client's.
void Worker::begin_intake(Visit& visit) {
  visit.open_intake().begin();
  visit.view.body_state = script::kBodyArriving;
  visit.view.body = {};
  visit.stage = Visit::Stage::kHandling;
  visit.body_waited = now_ - visit.body_began;
  visit.dispatched = now_;
}

// Bytes came on a connection whose request is being handled, or passed over. True when the next request may begin.
bool Worker::attend(net::Connection& client, Visit& visit) {
  if (visit.stage == Visit::Stage::kRest) {
    return skip_rest(client, visit);
  }
  if (visit.intake != nullptr && visit.intake->awaited()) {
    take_in(visit);
  }
  return false;
}

// Takes the framing off what has come of the body, and wakes those who wait for it.
void Worker::take_in(Visit& visit) {
  net::Connection* client = visit.client();
  if (!visit.intake->arriving() || client == nullptr) {
    return;
  }
  client->input().consume(visit.framer.feed(client->input().readable()));
  client->input().release_if_empty();
  switch (visit.framer.state()) {
    case http::BodyFramer::State::kReading:
      if (client->half_closed()) {
        return fail_body(visit, 400, "closed", "the body ended before its time");
      }
      if (visit.intake->awaited() && body_is_slow(visit, visit.body_waited + now_ - visit.wait_began)) {
        return fail_body(visit, 408, "timeout", "the body came too slowly");
      }
      break;
    case http::BodyFramer::State::kDone:
      visit.end_body();
      break;
    case http::BodyFramer::State::kTooLarge:
      return fail_body(visit, 413, "too_large", "the body is larger than this route takes");
    case http::BodyFramer::State::kRefused:
      return fail_body(visit, 400, "refused", visit.framer.reason());
  }
  end_body_wait(visit);
}

void Worker::fail_body(Visit& visit, int status, std::string_view word, std::string_view detail) {
  if (visit.intake->arriving()) {
    if (word != "closed") {
      meter_.refuse(reason_of(status));
    }
    visit.intake->fail(status, word, detail);
  }
  end_body_wait(visit);
}

// Wakes who waited. The handler's own time stands still while it waits for what the client owes.
void Worker::end_body_wait(Visit& visit) {
  if (!visit.intake->awaited()) {
    return;
  }
  visit.intake->wake(visit.body);
  visit.body_waited += now_ - visit.wait_began;
  visit.handler_deadline += now_ - visit.wait_began;
  visit.wait_began = now_;
  net::Connection* client = visit.client();
  if (client == nullptr || !client->open()) {
    return;
  }
  if (visit.intake->awaited()) {
    client->set_deadline(now_ + milliseconds(options_->body_timeout));
  } else if (visit.stage == Visit::Stage::kStreaming) {
    client->clear_deadline();
  } else if (visit.limit_set) {
    client->set_deadline(visit.handler_deadline);
  }
}

void Worker::receive_body(script::Exchange& exchange) noexcept {
  auto& visit = static_cast<Visit&>(exchange);
  net::Connection* client = visit.client();
  if (!visit.intake->arriving() || client == nullptr) {
    return;
  }
  try {
    if (visit.intake->owes_continue) {
      visit.intake->owes_continue = false;
      client->output().append("HTTP/1.1 100 Continue\r\n\r\n");
    }
    take_in(visit);
    flush_later(*client);  // and, where its buffer had been full, reads on
  } catch (const std::bad_alloc&) {
    visit.intake->fail(503, "full", "the server has no memory for the body");
  }
}

void Worker::await_body(script::Exchange& exchange, script::Task& waiter, bool whole) {
  auto& visit = static_cast<Visit&>(exchange);
  if (!visit.intake->awaited()) {
    visit.wait_began = now_;
  }
  visit.intake->await(waiter, whole);
  if (visit.client() != nullptr) {
    visit.client()->set_deadline(now_ + milliseconds(options_->body_timeout));
  }
}

// --- answers that do not wait for the body
// -----------------------------------------------------------------------------

// The answer is ready. Returns how many bytes of the body are still to come and to be passed over; where they are too
// many or nobody knows how many, the connection ends with the answer.
std::uint64_t Worker::leave_body(Visit& visit) {
  script::BodyIntake& intake = *visit.intake;
  if (visit.answer.kind == script::Answer::Kind::kStream) {  // its function may read on
    const bool all = !visit.head.has_body() || visit.framer.state() == http::BodyFramer::State::kDone;
    visit.close_after = visit.close_after || !all;
    if (intake.owes_continue) {
      fail_body(visit, 400, "closed", "the answer began before the body was asked for");
    }
    return 0;
  }
  if (intake.arriving()) {
    intake.discard(visit.body);
    take_in(visit);
  }
  if (!visit.head.has_body() || visit.framer.state() == http::BodyFramer::State::kDone) {
    return 0;
  }
  constexpr std::uint64_t kTooMuch = kMostRest + 1;
  const bool known = intake.arriving() && !intake.owes_continue;
  const std::uint64_t rest = known ? visit.framer.rest().value_or(kTooMuch) : kTooMuch;
  fail_body(visit, 400, "closed", "the request was answered before its body had come");
  if (rest <= kMostRest) {
    return rest;
  }
  visit.close_after = true;
  return 0;
}

// Answers a request whose body did not simply come first: what is left of it is no request.
bool Worker::answer_early(Visit& visit) {
  net::Connection& client = *visit.client();
  const std::uint64_t rest = leave_body(visit);
  visit.close_after = visit.close_after || draining_;
  answers_.write_whole(visit);
  return complete(visit) && (rest == 0 || begin_rest(client, rest));
}

bool Worker::begin_rest(net::Connection& client, std::uint64_t rest) {
  Visit& visit = begin_visit(client);
  visit.stage = Visit::Stage::kRest;
  visit.rest = rest;
  client.set_deadline(now_ + milliseconds(options_->body_timeout));
  return skip_rest(client, visit);
}

bool Worker::skip_rest(net::Connection& client, Visit& visit) {
  const std::uint64_t size = std::min<std::uint64_t>(visit.rest, client.input().size());
  client.input().consume(static_cast<std::size_t>(size));
  visit.rest -= size;
  if (visit.rest > 0) {
    return false;
  }
  client.context = nullptr;
  release(visit);
  if (draining_) {
    client.close_gracefully();
    return false;
  }
  client.set_deadline(now_ + idle_timeout_);
  return true;
}

}  // namespace perigee::server
