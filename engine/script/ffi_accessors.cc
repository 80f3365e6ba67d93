// What compiled Lua calls through the FFI: leaves that never enter Lua and never throw. The running program finds them
// by name.

#include <array>
#include <cstddef>
#include <cstdint>
#include <new>
#include <string_view>

#include "base/clock.h"
#include "script/exchange.h"
#include "script/task.h"
#include "script/vm.h"

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

/// Writes the next bytes of a streamed body: 0 when written, 1 when there is no room (the task is woken when there is),
/// 2 when the client has gone.
PERIGEE_FFI std::int32_t perigee_stream_write(TaskView* task, const char* bytes, std::size_t size) noexcept {
  perigee::script::Task& owner = *task->owner;
  if (owner.exchange == nullptr) {
    return static_cast<std::int32_t>(Host::Room::kClosed);
  }
  return static_cast<std::int32_t>(owner.vm.host().write_stream(*owner.exchange, std::string_view(bytes, size)));
}

/// Whether a text can go into HTML as it is: 1 when it holds none of & < > " and '.
PERIGEE_FFI std::int32_t perigee_html_plain(const char* text, std::size_t size) noexcept {
  static constexpr auto kSpecial = [] {
    std::array<bool, 256> special{};
    for (const unsigned char byte : std::string_view("&<>\"'")) {
      special[byte] = true;
    }
    return special;
  }();
  for (std::size_t i = 0; i < size; ++i) {
    if (kSpecial[static_cast<unsigned char>(text[i])]) {
      return 0;
    }
  }
  return 1;
}
