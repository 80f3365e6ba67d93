-- The engine's records and leaf functions, as LuaJIT's FFI sees them (engine/script/request_view.h, ffi_accessors.cc).

local ffi = require "ffi"
local core = require "perigee.core"

ffi.cdef [[
typedef struct { const char* data; uint32_t size; } perigee_slice;
typedef struct { perigee_slice text; double number; } perigee_parameter;
typedef struct { perigee_slice name, value; } perigee_pair;
typedef struct { perigee_slice name; int32_t type, next; } perigee_json_field;
typedef struct { perigee_slice text; double number; int32_t kind; } perigee_json_value;
typedef struct {
  int32_t method, minor_version, route;
  uint32_t parameter_count;
  perigee_slice method_text, target, path, query, host, body, found;
  double id, number;
  int32_t body_state;
  const perigee_parameter* parameters;
  const perigee_pair* pairs;
} perigee_request;
typedef struct {
  void* owner;
  perigee_request* request;
  double serial;
  int32_t cancelled, deferred, again, wants_room, wants_body, shielded, ticking, session, site,
    number;
} perigee_task;
typedef struct { perigee_task* current; double stopped; int32_t retired, guarded; } perigee_vm;

const perigee_slice* perigee_header(perigee_task* task, const char* name, size_t size);
const perigee_slice* perigee_query_value(perigee_task* task, const char* name, size_t size);
const perigee_slice* perigee_cookie(perigee_task* task, const char* name, size_t size);
int32_t perigee_find(perigee_task* task, int32_t source, const char* name, size_t size, int32_t type);
int32_t perigee_parse(int32_t type, const char* text, size_t size, double* number);
int32_t perigee_json_object(perigee_task* task, perigee_json_field* fields, int32_t count,
  perigee_json_value* values);
int32_t perigee_characters(const char* text, size_t size);
int32_t perigee_query(perigee_task* task);
int32_t perigee_cookies(perigee_task* task);
int32_t perigee_answer_name(const char* name, size_t size);
int32_t perigee_answer_fields(perigee_task* task, const perigee_slice* names, const perigee_slice* values,
  int32_t count);
void perigee_wake_after(perigee_task* task, double seconds);
void perigee_stop_timer(perigee_task* task);
int32_t perigee_is_https(perigee_task* task);
int32_t perigee_remote_address(perigee_task* task, char* out, size_t size);
int32_t perigee_take_rate(perigee_task* task, const char* key, size_t size, double interval, double burst,
  double* out);
int32_t perigee_static(perigee_task* task, int32_t folder);
int32_t perigee_stream_write(perigee_task* task, const char* bytes, size_t size);
typedef struct perigee_dictionary perigee_dictionary;
typedef struct { perigee_slice bytes; double number; } perigee_shared_room;
int32_t perigee_shared_get(perigee_shared_room* room, perigee_dictionary* dictionary, const char* key, size_t size);
int32_t perigee_shared_write(perigee_dictionary* dictionary, const char* key, size_t size, int32_t kind, double number,
  const char* bytes, size_t value_size, double ttl, int32_t when);
int32_t perigee_shared_cas(perigee_dictionary* dictionary, const char* key, size_t size, int32_t old_kind,
  double old_number, const char* old_bytes, size_t old_size, int32_t kind, double number, const char* bytes,
  size_t value_size);
int32_t perigee_shared_incr(perigee_shared_room* room, perigee_dictionary* dictionary, const char* key, size_t size,
  double by, double initial, double ttl);
int32_t perigee_shared_delete(perigee_dictionary* dictionary, const char* key, size_t size);
int32_t perigee_shared_expire(perigee_dictionary* dictionary, const char* key, size_t size, double ttl);
double perigee_shared_ttl(perigee_dictionary* dictionary, const char* key, size_t size);
double perigee_shared_count(perigee_dictionary* dictionary);
void perigee_shared_clear(perigee_dictionary* dictionary);
int32_t perigee_session_read(perigee_task* task, const char* key, size_t size);
int32_t perigee_session_exists(perigee_task* task);
int32_t perigee_session_late(perigee_task* task);
void perigee_session_touch(perigee_task* task);
size_t perigee_html_escape(const char* text, size_t size, char* out);
]]

local M = {}

M.C = ffi.C
M.string = ffi.string
M.number = ffi.new("double[1]") -- where perigee_parse() leaves its find

-- One view of the running task for the whole VM.
M.vm = ffi.cast("perigee_vm*", core.vm_view())

local task_type = ffi.typeof("perigee_task*")

--- The FFI pointer to a task's view.
---@param address userdata a light userdata
function M.view_of_task(address)
  return ffi.cast(task_type, address)
end

-- BodyState in engine/script/request_view.h.
M.BODY_ARRIVING, M.BODY_WHOLE, M.BODY_PARTS, M.BODY_FORM = 1, 2, 4, 8

-- CancelReason in engine/script/request_view.h.
M.CLIENT_GONE, M.TIME_LIMIT, M.REQUESTED, M.DRAINING, M.CPU_LIMIT, M.SESSION_ENDED = 1, 2, 3, 4, 5, 6
M.MEMORY_LIMIT = 7

local task, request, parameter, vm = core.sizes()
assert(ffi.sizeof("perigee_task") == task and ffi.sizeof("perigee_request") == request
  and ffi.sizeof("perigee_parameter") == parameter and ffi.sizeof("perigee_vm") == vm,
  "lua/perigee/native.lua and engine/script/request_view.h disagree")

return M
