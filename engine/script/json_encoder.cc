#include "script/json_encoder.h"

#include <lua.hpp>

#include <cmath>

#include "script/json_number.h"
#include "script/json_table.h"
#include "script/json_text.h"
#include "script/lua_values.h"
#include "script/vm.h"

namespace perigee::script {

bool JsonEncoder::encode(int index) {
  return encode_straight(index) || encode_stepwise(index);
}

bool JsonEncoder::encode_straight(int index) {
  return RawTable::is_known() && lua_type(state_, index) == LUA_TTABLE &&
         write_json_table(RawTable::at(state_, index), Vm::of(state_).json_marks(), {max_depth_, kMaxSize}, out_);
}

bool JsonEncoder::encode_stepwise(int index) {
  luaL_checkstack(state_, 3 * max_depth_ + 8, "a JSON value");
  return value(index < 0 ? lua_gettop(state_) + 1 + index : index);
}

bool JsonEncoder::value(int index) {
  if (out_.size() > kMaxSize) {
    return refuse("more than 64 MiB of JSON");
  }
  switch (lua_type(state_, index)) {
    case LUA_TSTRING:
      return string(index);
    case LUA_TNUMBER:
      return number(lua_tonumber(state_, index));
    case LUA_TBOOLEAN:
      out_.append(lua_toboolean(state_, index) != 0 ? "true" : "false");
      return true;
    case LUA_TTABLE:
      return table(index);
    case LUA_TLIGHTUSERDATA:
      if (lua_touserdata(state_, index) == nullptr) {  // perigee.null
        out_.append("null");
        return true;
      }
      break;
    default:
      break;
  }
  return refuse(unwritable_kind(state_, index));
}

bool JsonEncoder::string(int index) {
  std::size_t size = 0;
  const char* text = lua_tolstring(state_, index, &size);
  return append_json_text(out_, {text, size}) || refuse("a string that is not UTF-8");
}

bool JsonEncoder::number(double value) {
  char* const digits = out_.reserve(kMostDigits);
  const char* const end = write_json_number(digits, value);
  if (end == nullptr) {
    return refuse(std::isnan(value) ? "NaN" : "an infinite number");
  }
  out_.commit(static_cast<std::size_t>(end - digits));
  return true;
}

bool JsonEncoder::table(int index) {
  const void* self = lua_topointer(state_, index);
  for (int i = 0; i < depth_; ++i) {
    if (steps_[static_cast<std::size_t>(i)].table == self) {
      return refuse("a cycle");
    }
  }
  if (depth_ == max_depth_) {
    return refuse("a table nested too deep");
  }
  steps_[static_cast<std::size_t>(depth_++)] = {self, nullptr, 0, 0};
  const bool done = array_or_object(index);
  depth_ -= done ? 1 : 0;  // a failed walk keeps its path for the message
  return done;
}

// A key within a message: what is no UTF-8 is shown as its hexadecimal bytes.
static void append_shown(std::string& text, std::string_view key) {
  static constexpr char kHex[] = "0123456789abcdef";
  for (const char* at = key.data(); at != key.data() + key.size();) {
    const std::size_t size = utf8_length({at, key.data() + key.size()});
    if (size > 0) {
      text.append(at, size);
      at += size;
      continue;
    }
    text.append("\\x").push_back(kHex[static_cast<unsigned char>(*at) >> 4]);
    text.push_back(kHex[*at++ & 15]);
  }
}

bool JsonEncoder::array_or_object(int index) {
  const auto length = static_cast<int>(lua_objlen(state_, index));
  if (length > 0 || is_marked_array(state_, index)) {
    return array(index, length);
  }
  put('{');
  lua_pushnil(state_);
  for (bool first = true; lua_next(state_, index) != 0; first = false) {
    if (!object_entry(first)) {
      return false;
    }
    lua_pop(state_, 1);
  }
  put('}');
  return true;
}

bool JsonEncoder::object_entry(bool first) {
  const int top = lua_gettop(state_);
  if (lua_type(state_, top - 1) != LUA_TSTRING) {
    return refuse(lua_type(state_, top - 1) == LUA_TNUMBER ? "a table with a hole or mixed keys"
                                                           : "a table with a key that is no string");
  }
  Step& step = steps_[static_cast<std::size_t>(depth_ - 1)];
  step.key = lua_tolstring(state_, top - 1, &step.key_size);
  if (!first) {
    put(',');
  }
  if (!append_json_text(out_, {step.key, step.key_size})) {
    return refuse("a key that is not UTF-8");
  }
  put(':');
  return value(top);
}

bool JsonEncoder::array(int index, int count) {
  Step& step = steps_[static_cast<std::size_t>(depth_ - 1)];
  int entries = 0;
  lua_pushnil(state_);
  while (lua_next(state_, index) != 0) {
    lua_pop(state_, 1);
    ++entries;
  }
  if (entries != count) {
    return refuse("a table with a hole or mixed keys");
  }
  put('[');
  for (int i = 1; i <= count; ++i) {
    if (i > 1) {
      put(',');
    }
    step.position = i;
    lua_rawgeti(state_, index, i);
    if (lua_isnil(state_, -1)) {
      step.position = 0;
      return refuse("a table with a hole or mixed keys");
    }
    if (!value(lua_gettop(state_))) {
      return false;
    }
    lua_pop(state_, 1);
  }
  put(']');
  return true;
}

bool JsonEncoder::refuse(const char* what) {
  error_ = std::string(what) + " at " + path() + " can't be written as JSON";
  return false;
}

std::string JsonEncoder::path() const {
  std::string text = "$";
  for (int i = 0; i < depth_; ++i) {
    const Step& step = steps_[static_cast<std::size_t>(i)];
    if (step.key != nullptr) {
      text.append(".");
      append_shown(text, {step.key, step.key_size});
    } else if (step.position > 0) {
      text.append("[").append(std::to_string(step.position)).append("]");
    }
  }
  return text;
}

}  // namespace perigee::script
