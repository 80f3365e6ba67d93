#pragma once

#include <string_view>

#include "base/log.h"

namespace perigee::script {

class Vm;
class Exchange;

/// Writes one event to the log, for the request it happened in: with the request's id and, where the client named one,
/// the trace that it belongs to (W3C Trace Context, `traceparent`).
/// \param fields    a JSON object of what goes beside the message, or nothing
/// \param exchange  null where no request is being served: then it is the trace of the request that began the task
void log_for_request(Vm& vm, const Exchange* exchange, LogLevel level, std::string_view message,
                     std::string_view fields = {});

}  // namespace perigee::script
