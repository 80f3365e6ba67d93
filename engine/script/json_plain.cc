#include "script/json_plain.h"

#include <lua.hpp>

#include <algorithm>
#include <utility>

#include "script/held_values.h"
#include "script/json_cursor.h"
#include "script/json_decoder.h"

namespace perigee::script {
namespace {

// Every function leaves one value on the stack; where it gives up, anything.
class PlainReader : private JsonCursor {
 public:
  PlainReader(lua_State* state, std::string_view text, const JsonShape& shape)
      : JsonCursor(text),
        state_(state),
        most_containers_(std::min(shape.max_depth, kDeepest)),
        members_(shape.members) {}

  bool read() {
    if (!value(0)) {
      return false;
    }
    skip_space();
    return at_ == end_;
  }

 private:
  static constexpr int kDeepest = 32;  // containers, which wait on the thread's stack
  static constexpr int kHeld = held_values::kMost;

  void push(std::string_view text) { lua_pushlstring(state_, text.data(), text.size()); }

  // A value that lies in so many containers.
  bool value(int depth) {
    skip_space();
    if (at_ == end_) {
      return false;
    }
    switch (*at_) {
      case '"':
        ++at_;
        return text();
      case '{':
        ++at_;
        return depth < most_containers_ && object(depth + 1);
      case '[':
        ++at_;
        return depth < most_containers_ && array(depth + 1);
      case 't':
        lua_pushboolean(state_, 1);
        return word("true");
      case 'f':
        lua_pushboolean(state_, 0);
        return word("false");
      case 'n':
        lua_pushlightuserdata(state_, nullptr);
        return word("null");
      default:
        return figure();
    }
  }

  bool text() {
    std::string_view found;
    if (!string(found)) {
      return false;
    }
    push(found);
    return true;
  }

  bool figure() {
    double found = 0;
    if (!number(found)) {
      return false;
    }
    lua_pushnumber(state_, found);
    return true;
  }

  bool object(int depth) {
    const int likely = std::exchange(members_, 0);
    luaL_checkstack(state_, 2 * kHeld + 5, "a JSON value");
    const int first = lua_gettop(state_) + 1;
    int count = 0;
    if (!take('}')) {
      do {
        std::string_view name;
        if (!take('"') || !string(name) || !take(':')) {
          return false;
        }
        push(name);
        if (!value(depth)) {
          return false;
        }
        ++count;
        if (count == kHeld) {
          held_values::make_object(state_, first, count, likely);
        } else if (count > kHeld) {
          lua_rawset(state_, first);
        }
      } while (take(','));
      if (!take('}')) {
        return false;
      }
    }
    if (count < kHeld) {
      held_values::make_object(state_, first, count, likely);
    }
    return true;
  }

  bool array(int depth) {
    members_ = 0;
    luaL_checkstack(state_, kHeld + 5, "a JSON value");
    const int first = lua_gettop(state_) + 1;
    int count = 0;
    if (!take(']')) {
      do {
        if (!value(depth)) {
          return false;
        }
        ++count;
        if (count == kHeld) {
          held_values::make_array(state_, first, count);
        } else if (count > kHeld) {
          lua_rawseti(state_, first, count);
        }
      } while (take(','));
      if (!take(']')) {
        return false;
      }
    }
    if (count < kHeld) {
      held_values::make_array(state_, first, count);
    }
    return true;
  }

  lua_State* state_;
  const int most_containers_;
  int members_;  // that the outermost object is likely to have
};

}  // namespace

bool decode_plain_json(lua_State* state, std::string_view text, const JsonShape& shape) {
  const int top = lua_gettop(state);
  if (PlainReader(state, text, shape).read()) {
    return true;
  }
  lua_settop(state, top);
  return false;
}

}  // namespace perigee::script
