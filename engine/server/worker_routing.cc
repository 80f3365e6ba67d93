// Between head and handler: which route, which body, and the answer where no handler takes the request.

#include "base/marks.h"
#include "server/worker.h"

namespace perigee::server {
namespace {

constexpr std::string_view kServerMethods = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

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
  if (visit.view.path.size == 1 &&
      *visit.view.path.data == '*') {  // OPTIONS *: what the server as a whole takes (RFC 9110 section 9.3.7)
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

}  // namespace perigee::server
