#pragma once

#include <cstdint>

#include "base/slice.h"
#include "http/router.h"

namespace perigee::script {

/// A name and a value of a query, form or cookie, decoded.
struct PairView {
  Slice name;
  Slice value;
};

/// What Lua's FFI reads of a request. Plain data; lua/perigee/native.lua declares the same layout for the FFI, and a VM
/// refuses to start when the two differ in size. Numbers are doubles or 32-bit integers, which compiled Lua reads best.
struct RequestView {
  std::int32_t method = 0;
  std::int32_t minor_version = 1;
  std::int32_t route = -1;
  std::uint32_t parameter_count = 0;
  Slice method_text;
  Slice target;
  Slice path;
  Slice query;
  Slice host;
  Slice body;
  Slice found;  ///< where perigee_header() and perigee_find() leave their find
  double id = 0;
  double number = 0;            ///< what perigee_find() read of an integer, number or boolean
  std::int32_t body_state = 0;  ///< bits of BodyState
  const http::PathParameter* parameters = nullptr;
  const PairView* pairs = nullptr;  ///< what perigee_query() and perigee_cookies() found
};

/// What has become of a request's body, and how the handler reads it: whole, in parts or as a multipart form.
enum BodyState : std::int32_t { kBodyArriving = 1, kBodyWhole = 2, kBodyParts = 4, kBodyForm = 8 };

class Task;

/// What Lua's FFI reads and writes of a task.
struct TaskView {
  Task* owner = nullptr;
  RequestView* request = nullptr;  ///< null in tasks that serve none
  double serial = 0;               ///< unique in a VM; another one once the task serves something else
  std::int32_t cancelled = 0;      ///< a CancelReason
  std::int32_t deferred = 0;       ///< not 0 when perigee.defer was called
  std::int32_t again = 0;          ///< not 0: the wait about to begin ends with the worker's turn
  std::int32_t wants_room = 0;     ///< not 0: it waits to write, and is woken when there is room
  std::int32_t wants_body = 0;     ///< not 0: it waits for bytes of a body
  std::int32_t shielded = 0;       ///< not 0: its waits do not raise when it is cancelled
  std::int32_t ticking = 0;        ///< not 0: it is a timer between two runs, and ends when its VM retires
  std::int32_t session = 0;        ///< not 0: its request's session may have to be written
  std::int32_t site = 0;           ///< what it waits for, a number of profiler::wait_site()
  std::int32_t number = 0;         ///< its place among the tasks of its VM, from 1 on; the same for as long as it lives
};

/// Why a task's waits raise.
enum class CancelReason : std::int32_t {
  kNone,
  kClientGone,
  kTimeLimit,
  kRequested,
  kDraining,
  kCpuLimit,
  kSessionEnded,
  kMemoryLimit
};

/// What Lua's FFI reads of a VM.
struct VmView {
  TaskView* current = nullptr;  ///< the task that runs; null while the app is loaded
  double stopped = 0;           ///< the serial of the task that a limit stopped last, and that has no pardon; 0: none
  std::int32_t retired = 0;     ///< not 0: a newer version of the app has taken over, or the server ends
  std::int32_t guarded = 0;     ///< finalizers that run, and that an error may leave (lua/perigee/finalizers.lua)
};

}  // namespace perigee::script
