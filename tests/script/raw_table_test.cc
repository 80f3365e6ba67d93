#include "script/raw_table.h"

#include <catch2/catch.hpp>
#include <functional>
#include <lua.hpp>
#include <memory>
#include <string>

using perigee::script::RawNode;
using perigee::script::RawTable;
using perigee::script::RawValue;

namespace {

// Looks at the table that a Lua expression gives.
void look_at(const std::string& source, const std::function<void(const RawTable&)>& look) {
  RawTable::calibrate();
  REQUIRE(RawTable::is_known());
  const std::unique_ptr<lua_State, decltype(&lua_close)> state(luaL_newstate(), lua_close);
  luaL_openlibs(state.get());
  REQUIRE(luaL_loadstring(state.get(), ("return " + source).c_str()) == 0);
  REQUIRE(lua_pcall(state.get(), 0, 1, 0) == 0);
  look(RawTable::at(state.get(), -1));
}

}  // namespace

TEST_CASE("raw table: a list has its values in slots, the first in the second") {
  look_at("{ 'text', 1.5, true, false, {}, print }", [](const RawTable& table) {
    REQUIRE(table.slot_count == 7);
    CHECK(table.slots[0].is_nil());
    CHECK(table.slots[1].string().view() == "text");
    CHECK(table.slots[2].number() == 1.5);
    CHECK(table.slots[3].is_true());
    CHECK(table.slots[4].is_false());
    CHECK(table.slots[5].table().slot_count == 0);
    CHECK(table.slots[5].table().metatable == nullptr);
    const RawValue& function = table.slots[6];
    CHECK_FALSE((function.is_nil() || function.is_string() || function.is_number() || function.is_table() ||
                 function.is_true() || function.is_false()));
    CHECK(table.nodes[0].value.is_nil());
  });
}

TEST_CASE("raw table: names stand in nodes, and one that was taken away is nil") {
  look_at("(function() local t = { a = 1, b = 'x', c = 3 } t.b = nil return t end)()", [](const RawTable& table) {
    CHECK(table.slot_count == 0);
    std::string names;
    double sum = 0;
    for (std::uint32_t i = 0; i <= table.last_node; ++i) {
      const RawNode& node = table.nodes[i];
      if (!node.value.is_nil()) {
        names += node.key.string().view();
        sum += node.value.number();
      }
    }
    CHECK((names == "ac" || names == "ca"));
    CHECK(sum == 4);
  });
}

TEST_CASE("raw table: an empty one has nothing, and a metatable is seen") {
  look_at("{}", [](const RawTable& table) {
    CHECK(table.slot_count == 0);
    CHECK(table.last_node == 0);
    CHECK(table.nodes[0].value.is_nil());
    CHECK(table.metatable == nullptr);
  });
  look_at("{ setmetatable({}, { __index = {} }) }",
          [](const RawTable& table) { CHECK(table.slots[1].table().metatable != nullptr); });
}

TEST_CASE("raw table: numbers of every size and sign are numbers") {
  for (const char* source :
       {"0", "-0.0", "1", "-1", "5e-324", "1.7976931348623157e308", "1/0", "-1/0", "0/0", "-(0/0)"}) {
    INFO(source);
    look_at("{ " + std::string(source) + " }", [](const RawTable& table) { CHECK(table.slots[1].is_number()); });
  }
}
