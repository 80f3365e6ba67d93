#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace perigee::script {

class Exchange;
class Task;
class Vm;

/// Of which request a task came, kept beyond the request's end: what it asks of others belongs to the request's trace,
/// and what goes wrong in it to the request's route. Never changes once it is made.
struct Origin {
  std::int32_t route = -1;  ///< of its VM; -1 where none was matched
  std::string method;
  std::string target;       ///< what sample_of() looks at of it
  std::string traceparent;  ///< the request's own, found good; "" without one
  std::string tracestate;
};

/// What the tasks that `parent` begins come from: its request, or where it came from itself. Null outside of any
/// request. Throws std::bad_alloc. Worker's thread only.
[[nodiscard]] std::shared_ptr<const Origin> origin_for(const Task* parent);

/// "GET /users/{id}" of the route that took the request; "" where none did.
[[nodiscard]] std::string route_of(const Vm& vm, const Exchange& exchange);
[[nodiscard]] std::string route_of(const Vm& vm, const Origin& origin);

/// The traceparent field (https://www.w3.org/TR/trace-context/) to send with what `task`, which may be null, asks of
/// others, with a span of its own; "" where its request belongs to no trace.
[[nodiscard]] std::string outgoing_trace(const Task* task);

/// The tracestate field beside it; "" where there is none.
[[nodiscard]] std::string outgoing_state(const Task* task);

}  // namespace perigee::script
