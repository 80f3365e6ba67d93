#include "script/origin.h"

#include <string_view>

#include "base/crypto.h"
#include "http/trace_context.h"
#include "script/exchange.h"
#include "script/failure_note.h"
#include "script/vm.h"

namespace perigee::script {
namespace {

// A span of one's own: 16 hexadecimal digits, not all of them 0.
std::string span_id() {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  while (text.find_first_not_of('0') == std::string::npos) {
    text.clear();
    for (const char byte : random_bytes(8)) {
      text += kDigits[static_cast<unsigned char>(byte) >> 4];
      text += kDigits[static_cast<unsigned char>(byte) & 15];
    }
  }
  return text;
}

std::string_view tracestate_of(const http::RequestHead& head) {
  const std::uint16_t at = head.find("tracestate");
  return at == http::RequestHead::kAbsent ? std::string_view() : head.text(head.fields[at].value);
}

// The names are put together when somebody wants them, which is seldom.
Origin made_of(const Exchange& exchange) {
  Origin origin;
  origin.route = exchange.view.route;
  origin.method = exchange.view.method_text.view();
  origin.target = exchange.view.target.view().substr(0, kMostSampled);
  if (http::trace_context(exchange.head)) {
    origin.traceparent = exchange.head.field(http::KnownField::kTraceparent);
    origin.tracestate = tracestate_of(exchange.head);
  }
  return origin;
}

std::string name_of(const Vm& vm, std::int32_t route, std::string_view method) {
  return route < 0 ? "" : std::string(method) + " " + vm.routes()[static_cast<std::size_t>(route)].pattern;
}

}  // namespace

std::string route_of(const Vm& vm, const Exchange& exchange) {
  return name_of(vm, exchange.view.route, exchange.view.method_text.view());
}

std::string route_of(const Vm& vm, const Origin& origin) {
  return name_of(vm, origin.route, origin.method);
}

std::shared_ptr<const Origin> origin_for(const Task* parent) {
  if (parent == nullptr || parent->exchange == nullptr) {
    return parent != nullptr ? parent->origin : nullptr;
  }
  std::shared_ptr<const Origin>& shared = parent->exchange->origin;
  if (shared == nullptr) {
    shared = std::make_shared<const Origin>(made_of(*parent->exchange));
  }
  return shared;
}

std::string outgoing_trace(const Task* task) {
  if (task != nullptr && task->exchange != nullptr) {
    const auto trace = http::trace_context(task->exchange->head);
    return trace ? http::traceparent(*trace, span_id()) : std::string();
  }
  if (task == nullptr || task->origin == nullptr || task->origin->traceparent.empty()) {
    return "";
  }
  return http::traceparent(*http::parse_traceparent(task->origin->traceparent), span_id());
}

std::string outgoing_state(const Task* task) {
  if (task != nullptr && task->exchange != nullptr) {
    return std::string(tracestate_of(task->exchange->head));
  }
  return task != nullptr && task->origin != nullptr ? task->origin->tracestate : std::string();
}

}  // namespace perigee::script
