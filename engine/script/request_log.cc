#include "script/request_log.h"

#include <optional>
#include <string>

#include "http/trace_context.h"
#include "script/exchange.h"
#include "script/origin.h"
#include "script/vm.h"

namespace perigee::script {
namespace {

// Fields, a JSON object or none, with the trace beside them.
std::string with_trace(std::string_view fields, std::string_view trace_id) {
  std::string text = "{\"trace_id\":\"";
  text.append(trace_id) += '"';
  const std::size_t first = fields.find_first_not_of("{ ");
  if (first == std::string_view::npos || fields[first] == '}') {
    return text += '}';
  }
  return text.append(",").append(fields.substr(1));
}

}  // namespace

void log_for_request(Vm& vm, const Exchange* exchange, LogLevel level, std::string_view message,
                     std::string_view fields) {
  if (exchange == nullptr) {
    const Task* task = vm.current();
    const auto trace =
        task != nullptr && task->origin != nullptr ? http::parse_traceparent(task->origin->traceparent) : std::nullopt;
    log_sink().write(level, message, trace ? with_trace(fields, trace->trace_id) : std::string(fields), {});
    return;
  }
  const auto trace = http::trace_context(exchange->head);
  log_sink().write(level, message, trace ? with_trace(fields, trace->trace_id) : std::string(fields),
                   vm.host().request_id(*exchange));
}

}  // namespace perigee::script
