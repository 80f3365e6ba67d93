#include <limits>

#include "vm_fixture.h"

using perigee::state::SharedDictionary;
using perigee::state::ValueKind;

struct SharedRoomHead {
  perigee::Slice bytes;
  double number;
};

extern "C" {
std::int32_t perigee_shared_get(void* room, SharedDictionary* dictionary, const char* key, std::size_t size) noexcept;
std::int32_t perigee_shared_write(SharedDictionary* dictionary, const char* key, std::size_t size, std::int32_t kind,
                                  double number, const char* bytes, std::size_t value_size, double ttl,
                                  std::int32_t when) noexcept;
std::int32_t perigee_shared_incr(void* room, SharedDictionary* dictionary, const char* key, std::size_t size, double by,
                                 double initial, double ttl) noexcept;
double perigee_shared_ttl(SharedDictionary* dictionary, const char* key, std::size_t size) noexcept;
}

namespace {

// What a handler with this body answers. `core`, `d` (a dictionary) and `address` (of another) are there.
std::string answered(const std::string& code) {
  LoadedVm loaded(
      "local core, d = require 'perigee.core', perigee.shared('d')\n"
      "app:get('/', function() local address = core.shared_open('e') " +
      code + " end)");
  return answer_to(loaded, get("/"));
}

}  // namespace

TEST_CASE("core.shared_open: gives the same dictionary for a name, and none when there are too many") {
  CHECK(answered("return tostring(core.shared_open('a') == core.shared_open('a'))") == "200 true");
  CHECK(answered("return tostring(core.shared_open('a') == core.shared_open('b'))") == "200 false");
  CHECK(answered("for i = 1, 999 do core.shared_open('n' .. i) end"
                 " return tostring(core.shared_open('n999')) ~= 'nil' and tostring((core.shared_open('n1000')))") ==
        "200 nil");
}

TEST_CASE("core.shared_pack and core.shared_unpack: a table, as bytes and back") {
  CHECK(answered("return core.shared_unpack(core.shared_pack { a = { 'b' } }).a[1]") == "200 b");
  CHECK(answered("return select(2, core.shared_pack { a = print })") == "200 a function at $.a can't be kept");
  CHECK(answered("return tostring(pcall(core.shared_pack, 'no table'))") == "200 false");
}

TEST_CASE("core.shared_keys: goes on from where it was, up to a limit") {
  const std::string fill =
      "for i = 1, 500 do perigee.shared('e'):set('k' .. i, i) end local list, at, steps = {}, 0, 0";
  CHECK(answered(fill + " repeat at, steps = core.shared_keys(address, 'k', 1000, at, list), steps + 1 until not at"
                        " return tostring(#list)") == "200 500");
  CHECK(
      answered(fill + " repeat at = core.shared_keys(address, 'k', 7, at, list) until not at return tostring(#list)") ==
      "200 7");
}

TEST_CASE("core.shared_join: says what there is to do, and the result is there once") {
  CHECK(answered("return core.shared_join('f') .. ' ' .. core.shared_join('f')") == "200 computes recursion");
  CHECK(answered("core.shared_join('f') core.shared_leave() return core.shared_join('f')") == "200 computes");
  CHECK(answered("return tostring(select('#', core.shared_result()))") == "200 0");
  CHECK(answered(
            "core.shared_join('f')\n"
            "local task = perigee.spawn(function() local role = core.shared_join('f')\n"
            "  require('perigee.tasks').suspend('f') local landing, kind, number, bytes, text = core.shared_result()\n"
            "  return table.concat({ role, landing, kind, number, bytes, text }, ' ') end)\n"
            "perigee.sleep(0) core.shared_land('f', 'value', 1, 2.5, 'bytes', 'text') return task:wait()") ==
        "200 waits value 1 2.5 bytes text");
  CHECK(answered("return tostring(pcall(core.shared_land, 'f', 'nonsense'))") == "200 false");
}

TEST_CASE("shared leaves: times to live are seconds, and what is no end of a time has none") {
  SharedDictionary dictionary({});
  const auto set = [&](double ttl) {
    return perigee_shared_write(&dictionary, "k", 1, static_cast<int>(ValueKind::kTrue), 0, nullptr, 0, ttl, 0);
  };
  const auto left = [&] { return perigee_shared_ttl(&dictionary, "k", 1); };
  CHECK(left() == -1);
  for (const double endless : {0.0, -1.0, 9e9, 1e300, std::numeric_limits<double>::infinity()}) {
    REQUIRE(set(endless) == 0);
    CHECK(left() == std::numeric_limits<double>::infinity());
  }
  REQUIRE(set(8.9e9) == 0);
  CHECK(left() > 8.8e9);
  REQUIRE(set(60) == 0);
  CHECK(left() <= 60.1);
  REQUIRE(set(1e-12) == 0);  // a nanosecond is the least
  while (perigee_shared_ttl(&dictionary, "k", 1) > 0) {
  }
  CHECK(left() == -1);
}

TEST_CASE("shared leaves: a long value's memory is given back with the next read") {
  LoadedVm loaded("room = require('perigee.shared_values').owner");
  SharedDictionary dictionary({});
  const std::string longest(2 * 1024 * 1024, 'v');
  loaded.in_lua([&](lua_State* state) {
    lua_getglobal(state, "room");
    auto* room = static_cast<SharedRoomHead*>(lua_touserdata(state, -1));
    const auto string = static_cast<int>(ValueKind::kString);
    REQUIRE(perigee_shared_write(&dictionary, "long", 4, string, 0, longest.data(), longest.size(), 0, 0) == 0);
    REQUIRE(perigee_shared_incr(room, &dictionary, "n", 1, 2, 40, 0) == 0);
    CHECK(room->number == 42);
    CHECK(perigee_shared_get(room, &dictionary, "long", 4) == string);
    CHECK(room->bytes.size == longest.size());
    CHECK(perigee_shared_get(room, &dictionary, "n", 1) == static_cast<int>(ValueKind::kNumber));
    CHECK(room->bytes.size == 0);
    CHECK(perigee_shared_get(room, &dictionary, "", 0) == 0);
  });
}
