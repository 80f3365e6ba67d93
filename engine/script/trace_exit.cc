#include "script/trace_exit.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <lua.hpp>
#include <memory>
#include <mutex>

#include "script/safe_read.h"
#include "script/safepoint.h"

namespace perigee::script {
namespace {

// A trace, as far as it matters here.
struct Trace {
  std::uint64_t next;
  std::uint8_t mark, type;
  std::uint16_t exits;
  std::uint32_t end;  // of the instructions: kFirst + their number
  std::uint32_t unused;
  std::uint64_t list;
  const struct Instruction* code;
  std::uint32_t constants, map_size;
  const struct Point* points;  // one for each exit
};

struct Instruction {
  std::uint16_t left, right;
  std::uint8_t type, operation;
  std::uint16_t previous;
};

// Where an exit goes back to.
struct Point {
  std::uint32_t map;
  std::uint16_t at;  // the first instruction behind it
  std::uint16_t machine_code;
  std::uint8_t slots, top, entries, count;
};

static_assert(sizeof(Instruction) == 8 && sizeof(Point) == 12 && offsetof(Trace, points) == 48);

constexpr std::uint32_t kFirst = 0x8000;        // the number of a trace's first instruction
constexpr std::uint8_t kGuardOfNothing = 0x80;  // the type of the check that a changed line brings, and of no other

// What a VM has behind its main lua_State.
struct Exit {
  std::uint32_t trace;
  std::uint32_t number;
};

constexpr std::size_t kSearched = 8192;  // bytes of it
constexpr std::size_t kWords = kSearched / sizeof(std::uint32_t) - 1;

std::size_t exit_offset = 0;    // of the exit that was taken last, from the main lua_State; 0: not known
std::size_t base_offset = 0;    // likewise: of the address of the running trace's frame, null while none runs
std::size_t traces_offset = 0;  // likewise: of the address of the table of traces, before their number

template <typename Value>
Value value_at(const void* base, std::size_t offset) noexcept {
  Value value;
  std::memcpy(&value, static_cast<const char*>(base) + offset, sizeof value);
  return value;
}

// What the traces of a VM of ours show.
struct Search {
  lua_State* main = nullptr;
  std::array<bool, kWords / 2> may_be_base;
  std::array<bool, kWords> may_be_exit;
  Exit first{};
  bool saw_compiled = false;
  bool differ = false;    // not all exits were one
  bool is_wrong = false;  // something is not as it was taken for
};

Search* search = nullptr;

constexpr double kMark = 12345.6789;

// The first local variable of the frame whose address this may be is the mark.
bool points_to_mark(std::uint64_t address) {
  double first = 0;
  return address % 8 == 0 && address != 0 && read_safely(address, &first, sizeof first) && first == kMark;
}

// Called by a loop whose function has the mark for its first local variable, at last by its compiled code.
void note_base(bool compiled) noexcept {
  for (std::size_t i = 0; i < search->may_be_base.size(); ++i) {
    const auto word = value_at<std::uint64_t>(search->main, i * sizeof(std::uint64_t));
    search->may_be_base[i] = search->may_be_base[i] && (compiled ? points_to_mark(word) : word == 0);
  }
}

void note_compiled() noexcept {
  if (Safepoint::state(search->main) > 0) {
    note_base(true);
    search->saw_compiled = true;
  }
}

int note_interpreted(lua_State*) {
  note_base(false);
  return 0;
}

// A trace was left: number, exit.
int note_exit(lua_State* state) {
  const Exit taken{static_cast<std::uint32_t>(lua_tointeger(state, 1)),
                   static_cast<std::uint32_t>(lua_tointeger(state, 2))};
  for (std::size_t i = 0; i < kWords; ++i) {
    const Exit found = value_at<Exit>(search->main, i * sizeof(std::uint32_t));
    search->may_be_exit[i] = search->may_be_exit[i] && found.trace == taken.trace && found.number == taken.number;
  }
  search->differ = search->differ || (search->first.trace != 0 && search->first.trace != taken.trace);
  search->first = taken;
  return 0;
}

// The trace's address in a table of traces, if there is one at the offset; else 0.
std::uint64_t listed_at(std::size_t offset, std::uint32_t number) {
  const auto table = value_at<std::uint64_t>(search->main, offset);
  const auto free = value_at<std::uint32_t>(search->main, offset + 8);
  const auto room = value_at<std::uint32_t>(search->main, offset + 12);
  std::uint64_t trace = 0;
  const bool is_likely = table % 8 == 0 && table != 0 && free <= room && number < room && room <= 0x10000;
  return is_likely && read_safely(table + number * sizeof trace, &trace, sizeof trace) ? trace : 0;
}

bool looks_like(std::uint64_t address, lua_Integer instructions, lua_Integer exits) {
  Trace trace{};
  return address != 0 && read_safely(address, &trace, sizeof trace) &&
         trace.end == kFirst + static_cast<std::uint32_t>(instructions) + 1 && trace.exits == exits;
}

// A trace is known by number, instructions and exits. The table is where all of them are found.
int note_trace(lua_State* state) {
  const auto number = static_cast<std::uint32_t>(lua_tointeger(state, 1));
  std::size_t found = 0;
  for (std::size_t at = 0; at + 16 <= kSearched; at += 8) {
    if (looks_like(listed_at(at, number), lua_tointeger(state, 2), lua_tointeger(state, 3))) {
      search->is_wrong = search->is_wrong || ++found > 1 || (traces_offset != 0 && traces_offset != at);
      traces_offset = at;
    }
  }
  search->is_wrong = search->is_wrong || found == 0;
  lua_pushboolean(state, static_cast<int>(!search->is_wrong));
  return 1;
}

const Trace* trace_of(lua_State* main, std::uint32_t number) noexcept {
  if (number >= value_at<std::uint32_t>(main, traces_offset + 12)) {
    return nullptr;
  }
  return value_at<const Trace* const*>(main, traces_offset)[number];
}

// Of a trace that note_trace() has found, an instruction: number, its place, type and operation.
int check_instruction(lua_State* state) {
  const Trace* const trace = trace_of(search->main, static_cast<std::uint32_t>(lua_tointeger(state, 1)));
  Instruction found{};
  const auto at = kFirst + static_cast<std::uint32_t>(lua_tointeger(state, 2));
  search->is_wrong = search->is_wrong ||
                     !read_safely(reinterpret_cast<std::uint64_t>(trace->code + at), &found, sizeof found) ||
                     found.type + 256 * found.operation != lua_tointeger(state, 3);
  return 0;
}

// Likewise the point of an exit: number, exit, the first instruction behind it.
int check_point(lua_State* state) {
  const Trace* const trace = trace_of(search->main, static_cast<std::uint32_t>(lua_tointeger(state, 1)));
  Point found{};
  const auto exit = static_cast<std::size_t>(lua_tointeger(state, 2));
  search->is_wrong = search->is_wrong ||
                     !read_safely(reinterpret_cast<std::uint64_t>(trace->points + exit), &found, sizeof found) ||
                     static_cast<lua_Integer>(found.at) - kFirst != lua_tointeger(state, 3);
  return 0;
}

// Some traces, left in several ways; then what jit.util says of them.
constexpr const char* kScript = R"(
local note_compiled, note_interpreted, note_exit, note_trace, check_instruction, check_point = ...
local ffi, jit, util = require "ffi", require "jit", require "jit.util"
note_compiled = ffi.cast('void (*)(void)', note_compiled)
jit.opt.start("hotloop=2", "hotexit=50")
local function call(mark, n)
  for i = 1, n do note_compiled() end
  return mark
end
note_interpreted()
call(12345.6789, 60)
note_interpreted()
jit.flush()
jit.attach(note_exit, "texit")
for k = 1, 3 do
  local run = loadstring [[
    local t, n, a, b = {}, ...
    for i = 1, n do
      if i == a then t.z = 1 end
      t.a = i
      if i == b then t.z = 2 end
      t.b = i
    end]]
  run(60, 20, 30)
  run(60, 40, -1)
  run(60, -1, 50)
end
jit.attach(note_exit)
jit.off()
for number = 1, 3 do
  local trace = util.traceinfo(number)
  if note_trace(number, trace.nins, trace.nexit) then
    for at = 1, trace.nins do
      local _, kind = util.traceir(number, at)
      check_instruction(number, at, kind)
    end
    for exit = 0, trace.nexit - 1 do
      check_point(number, exit, util.tracesnap(number, exit)[0])
    end
  end
end
)";

int run_script(lua_State* state) {
  luaL_openlibs(state);
  if (luaL_loadstring(state, kScript) != 0) {
    return lua_error(state);
  }
  lua_pushlightuserdata(state, reinterpret_cast<void*>(&note_compiled));
  for (const lua_CFunction function : {note_interpreted, note_exit, note_trace, check_instruction, check_point}) {
    lua_pushcfunction(state, function);
  }
  lua_call(state, 6, 0);
  return 0;
}

void find_base(const Search& found) {
  const auto bases = std::count(found.may_be_base.begin(), found.may_be_base.end(), true);
  if (found.saw_compiled && bases == 1) {
    const auto at = std::find(found.may_be_base.begin(), found.may_be_base.end(), true) - found.may_be_base.begin();
    base_offset = static_cast<std::size_t>(at) * sizeof(std::uint64_t);
  }
}

void find_offsets(lua_State* main) {
  const auto found = std::make_unique<Search>();
  found->main = main;
  found->may_be_exit.fill(true);
  found->may_be_base.fill(true);
  search = found.get();
  const bool ran = lua_cpcall(main, run_script, nullptr) == 0;
  find_base(*found);
  const auto exits = std::count(found->may_be_exit.begin(), found->may_be_exit.end(), true);
  if (!ran || found->is_wrong || !found->differ || exits != 1 || traces_offset == 0) {
    return;
  }
  const auto at = std::find(found->may_be_exit.begin(), found->may_be_exit.end(), true) - found->may_be_exit.begin();
  exit_offset = static_cast<std::size_t>(at) * sizeof(std::uint32_t);
}

void calibrate_once() {
  const std::unique_ptr<lua_State, decltype(&lua_close)> main(luaL_newstate(), lua_close);
  if (main != nullptr) {
    Safepoint::prepare(main.get());
    find_offsets(main.get());
  }
}

}  // namespace

void TraceExit::calibrate() {
  static std::once_flag once;
  std::call_once(once, calibrate_once);
}

bool TraceExit::is_before_line(lua_State* main) noexcept {
  if (exit_offset == 0) {
    return false;
  }
  const Exit taken = value_at<Exit>(main, exit_offset);
  const Trace* const trace = trace_of(main, taken.trace);
  if (taken.trace == 0 || trace == nullptr || taken.number >= trace->exits) {
    return false;
  }
  const std::uint32_t next = trace->points[taken.number].at;
  if (next >= trace->end) {
    return false;
  }
  const Instruction& instruction = trace->code[next];
  return instruction.type == kGuardOfNothing && instruction.left == 0 && instruction.right == 0;
}

bool TraceExit::interprets(lua_State* main) noexcept {
  return base_offset != 0 && value_at<std::uint64_t>(main, base_offset) == 0;
}

}  // namespace perigee::script
