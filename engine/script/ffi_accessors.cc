// What compiled Lua calls through the FFI: leaves that never enter Lua and never throw. The running program finds them
// by name.

#include <cstddef>
#include <cstdint>
#include <new>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "http/html_escape.h"
#include "script/answer_fields.h"
#include "script/exchange.h"
#include "script/task.h"
#include "script/vm.h"
#include "state/rate_limiter.h"

#define PERIGEE_FFI extern "C" __attribute__((visibility("default"), used))

using perigee::Slice;
using perigee::script::Host;
using perigee::script::TaskView;

/// The value of the first header called `name`, in any case; null when there is none. Valid until the next call.
PERIGEE_FFI const Slice* perigee_header(TaskView* task, const char* name, std::size_t size) noexcept {
  perigee::script::Exchange& exchange = *task->owner->exchange;
  const auto& head = exchange.head;
  const perigee::http::KnownField slot = perigee::http::known_field_of({name, size});
  const std::uint16_t index =
      slot != perigee::http::KnownField::kCount ? head.known[static_cast<std::size_t>(slot)] : head.find({name, size});
  if (index == perigee::http::RequestHead::kAbsent) {
    return nullptr;
  }
  exchange.view.found = Slice::of(head.text(head.fields[index].value));
  return &exchange.view.found;
}

/// The first value of the query's parameter called `name`; null when there is none. A slice without data says that the
/// query may hold more fields than the server takes, or that memory is out. Valid until the next call.
PERIGEE_FFI const Slice* perigee_query_value(TaskView* task, const char* name, std::size_t size) noexcept {
  perigee::script::Exchange& exchange = *task->owner->exchange;
  Slice& found = exchange.view.found;
  try {
    // n fields are at least n - 1 bytes long
    if (exchange.view.query.size >= static_cast<std::uint32_t>(task->owner->vm.settings().form_fields)) {
      found = {};
      return &found;
    }
    return exchange.find_query({name, size}) ? &found : nullptr;
  } catch (const std::bad_alloc&) {
    found = {};
    return &found;
  }
}

/// The value of the first cookie called `name`; null when there is none. Valid until the next call.
PERIGEE_FFI const Slice* perigee_cookie(TaskView* task, const char* name, std::size_t size) noexcept {
  perigee::script::Exchange& exchange = *task->owner->exchange;
  return exchange.find_cookie({name, size}) ? &exchange.view.found : nullptr;
}

/// Reads the query into request->pairs and returns how many pairs there are; -1: more than fit, or no memory.
PERIGEE_FFI std::int32_t perigee_query(TaskView* task) noexcept try {
  return task->owner->exchange->read_query();
} catch (const std::bad_alloc&) {
  return -1;
}

/// Reads the cookies likewise.
PERIGEE_FFI std::int32_t perigee_cookies(TaskView* task) noexcept try {
  return task->owner->exchange->read_cookies();
} catch (const std::bad_alloc&) {
  return -1;
}

/// What perigee_answer_fields() is to be told of a header's name: 0: the name, 1: "", as it is Content-Type, -1:
/// nothing, as it may not be sent.
PERIGEE_FFI std::int32_t perigee_answer_name(const char* name, std::size_t size) noexcept {
  using perigee::script::NameUse;
  const NameUse use = perigee::script::name_use({name, size});
  return use == NameUse::kLine ? 0 : use == NameUse::kContentType ? 1 : -1;
}

/// Adds header lines to the task's answer, but for those whose value has no data: 0 when they are added; 1 when one of
/// them must not be or there is no memory: then none is.
PERIGEE_FFI std::int32_t perigee_answer_fields(TaskView* task, const Slice* names, const Slice* values,
                                               std::int32_t count) noexcept {
  perigee::script::Answer& answer = task->owner->exchange->answer;
  try {
    if (perigee::script::add_known_fields(answer, names, values, static_cast<std::size_t>(count))) {
      return 0;
    }
  } catch (const std::bad_alloc&) {
  }
  answer.reset();
  return 1;
}

/// Has the task woken after `seconds`; 0 means at the end of the worker's turn.
PERIGEE_FFI void perigee_wake_after(TaskView* task, double seconds) noexcept {
  constexpr double kForever = 1e9;  // seconds: thirty years
  const double bounded = seconds < kForever ? seconds : kForever;
  const auto milliseconds = static_cast<perigee::Milliseconds>(bounded * 1000 + 0.999);
  task->owner->wake_at(perigee::monotonic_ms() + milliseconds + 1);  // the clock's millisecond has begun already
}

/// Takes back perigee_wake_after().
PERIGEE_FFI void perigee_stop_timer(TaskView* task) noexcept {
  task->owner->stop_timer();
}

/// 1 where the client came by HTTPS.
PERIGEE_FFI std::int32_t perigee_is_https(TaskView* task) noexcept {
  perigee::script::Task& owner = *task->owner;
  return owner.vm.host().scheme(*owner.exchange) == "https" ? 1 : 0;
}

/// Writes the client's address to `out` and returns its size; -1 where it does not fit or there is no memory.
PERIGEE_FFI std::int32_t perigee_remote_address(TaskView* task, char* out, std::size_t size) noexcept try {
  perigee::script::Task& owner = *task->owner;
  const std::string address = owner.vm.host().remote_address(*owner.exchange);
  if (address.size() > size) {
    return -1;
  }
  address.copy(out, address.size());
  return static_cast<std::int32_t>(address.size());
} catch (const std::bad_alloc&) {
  return -1;
}

/// Takes a token of the bucket called `key`: 1 when there was one. `out` receives the tokens left, the seconds until
/// one is there and those until the bucket is full. The interval is in seconds. Without memory nobody is turned away.
PERIGEE_FFI std::int32_t perigee_take_rate(TaskView* task, const char* key, std::size_t size, double interval,
                                           double burst, double* out) noexcept try {
  constexpr double kNanoseconds = 1e9;
  const perigee::state::Rate rate{static_cast<std::int64_t>(interval * kNanoseconds), static_cast<std::int64_t>(burst)};
  auto& limiter = task->owner->vm.host().rates();
  const auto verdict = limiter.take(std::string_view(key, size), rate, perigee::monotonic_ns());
  out[0] = static_cast<double>(verdict.remaining);
  out[1] = static_cast<double>(verdict.retry) / kNanoseconds;
  out[2] = static_cast<double>(verdict.reset) / kNanoseconds;
  return verdict.allowed ? 1 : 0;
} catch (const std::bad_alloc&) {
  out[0] = out[1] = out[2] = 0;
  return 1;
}

/// Answers with the file below a folder of app:static() that the route's last parameter names: 0 when the answer is
/// filled, 1 when Lua is to say what it is: no such file, a condition that fails.
PERIGEE_FFI std::int32_t perigee_static(TaskView* task, std::int32_t folder) noexcept try {
  perigee::script::Task& owner = *task->owner;
  auto& folders = owner.vm.static_folders();
  perigee::script::Exchange& exchange = *owner.exchange;
  if (static_cast<std::size_t>(folder) >= folders.size() || exchange.parameters.count == 0) {
    return 1;
  }
  const auto& parameter = exchange.parameters.values[exchange.parameters.count - 1];
  return perigee::script::answer_static(exchange, folders[static_cast<std::size_t>(folder)], parameter.text.view(),
                                        owner.vm.host().files())
             ? 0
             : 1;
} catch (const std::bad_alloc&) {
  return 1;
}

/// Writes the next bytes of a streamed body: 0 when written, 1 when there is no room (the task is woken when there is),
/// 2 when the client has gone.
PERIGEE_FFI std::int32_t perigee_stream_write(TaskView* task, const char* bytes, std::size_t size) noexcept {
  perigee::script::Task& owner = *task->owner;
  if (owner.exchange == nullptr) {
    return static_cast<std::int32_t>(Host::Room::kClosed);
  }
  return static_cast<std::int32_t>(owner.vm.host().write_stream(*owner.exchange, std::string_view(bytes, size)));
}

/// Writes a text escaped for HTML to `out`, which has room for six times `size`, and returns how much that is; 0 when
/// the text can go in as it is.
PERIGEE_FFI std::size_t perigee_html_escape(const char* text, std::size_t size, char* out) noexcept {
  return perigee::http::escape_html({text, size}, out);
}
