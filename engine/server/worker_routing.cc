// Between head and handler: which route, and the answer where no handler takes the request.

#include <new>
#include <utility>

#include "base/marks.h"
#include "script/failure_note.h"
#include "server/worker.h"

namespace perigee::server {
namespace {

constexpr std::size_t kMostLine = 200;  // bytes of a request's line that are kept
constexpr std::string_view kServerMethods = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

}  // namespace

void Worker::match_route(Visit& visit) {
  marks.stage = Stage::kRoute;
  visit.generation = &generations_.current();
  ++visit.generation->pins;
  visit.dispatched = now_;
  visit.began = arrived_;
  meter_.enter(Stage::kRoute);
  const script::Vm& vm = *visit.generation->vm;
  const http::RequestHead& head = visit.head;
  if (head.method == http::Method::kTrace || head.method == http::Method::kConnect) {
    visit.match.outcome = http::Router::Outcome::kMethodNotAllowed;
    visit.match.allow = kServerMethods;
    return;
  }
  visit.match = vm.router().match(head.method, visit.view.method_text.view(), visit.view.path.view(), visit.parameters);
  visit.view.parameter_count = visit.parameters.count;
  if (visit.match.outcome == http::Router::Outcome::kNotFound && visit.view.path.view() == "*") {
    visit.match.outcome = http::Router::Outcome::kOptions;  // what the server as a whole takes (RFC 9110 section 9.3.7)
    visit.match.allow = kServerMethods;
  }
}

Worker::Outcome Worker::refuse_unrouted(Visit& visit) {
  marks.route = -1;
  using Reason = profiler::RefusalReason;
  const http::Router::Match& match = visit.match;
  script::Refusal refusal;
  switch (match.outcome) {
    case http::Router::Outcome::kOptions:
      if (visit.generation->vm->has_refusal_hook()) {
        refusal = {204, {}, match.allow, {}, {}, {}};
        return visit.generation->dispatcher.refuse(visit, refusal);
      }
      visit.answer.reset();
      visit.answer.status = 204;
      visit.answer.fields.append("Allow: ").append(match.allow).append("\r\n");
      return Outcome::kAnswered;
    case http::Router::Outcome::kMethodNotAllowed:
      meter_.refuse(Reason::kMethod);
      refusal = {405, "the path does not take this method", match.allow, {}, {}, {}};
      break;
    case http::Router::Outcome::kBadParameter:
      meter_.refuse(Reason::kParameter);
      refusal = {400,
                 "a path parameter is not of its type",
                 {},
                 match.refused->name,
                 http::path_type_expected(match.refused->type),
                 match.refused_text};
      return visit.generation->dispatcher.refuse(visit, refusal);
    case http::Router::Outcome::kNotFound:
    case http::Router::Outcome::kFound:
      meter_.refuse(Reason::kNoRoute);
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

// What a visit's route is counted under; -1 for none.
std::int32_t Worker::counted_route(const Visit* visit) {
  const bool routed = visit != nullptr && visit->generation != nullptr &&
                      visit->match.outcome == http::Router::Outcome::kFound && visit->match.route >= 0;
  return routed ? visit->generation->numbers[static_cast<std::size_t>(visit->match.route)] : -1;
}

// What goes on now is the visit's; of none, it is no route's.
void Worker::mark_route(const Visit* visit) {
  const bool routed = visit != nullptr && visit->match.outcome == http::Router::Outcome::kFound;
  marks.route = routed ? visit->match.route : -1;
  if (routed) {
    marks.numbers = visit->generation->numbers.data();
  }
}

// An answer's head stands. Of one that nobody waits for any more, only that is counted.
void Worker::measure(Visit& visit) {
  visit.measured = true;
  if (visit.connection == nullptr) {
    meter_.count_abandoned();
    return;
  }
  profiler::RouteLatencies& route = visit.match.outcome == http::Router::Outcome::kFound
                                        ? *visit.generation->latencies[static_cast<std::size_t>(visit.match.route)]
                                        : meter_.unmatched();
  const Ticks latency = ticks_between(visit.began, ticks());
  meter_.count(route, static_cast<std::size_t>(visit.head.method), visit.answer.status, latency);
  if (slow_.takes(latency)) [[unlikely]] {
    note_slow(visit, latency);
  }
}

// Out of the hallway: few requests are as slow.
void Worker::note_slow(const Visit& visit, Ticks latency) noexcept {
  try {
    profiler::SlowRequest slow;
    slow.time = wall_seconds();
    slow.latency = latency;
    slow.waits = visit.waited ? visit.waits : profiler::WaitTimes{};
    slow.status = visit.answer.status;
    slow.line = script::sample_of(visit).substr(0, kMostLine);
    if (visit.match.outcome == http::Router::Outcome::kFound) {
      slow.route = visit.generation->vm->routes()[static_cast<std::size_t>(visit.match.route)].pattern;
    }
    slow.id = request_id(visit);
    slow_.add(std::move(slow));
  } catch (const std::bad_alloc&) {
    return;  // nobody will miss it
  }
}

}  // namespace perigee::server
