#include "script/table_packer.h"

#include <lua.hpp>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>

#include "script/lua_values.h"

namespace perigee::script {
namespace {

// Each value begins with one of these.
enum Tag : char {
  kNull = '0',
  kFalse = 'f',
  kTrue = 't',
  kInteger = 'i',
  kNumber = 'n',
  kString = 's',
  kTable = 'T',
  kArray = 'A'
};  // a table that perigee.array marked

// The items 1..n that are there without a hole.
int item_count(lua_State* state, int index) {
  int count = 0;
  for (;; ++count) {
    lua_rawgeti(state, index, count + 1);
    const bool end = lua_isnil(state, -1);
    lua_pop(state, 1);
    if (end) {
      return count;
    }
  }
}

bool is_item_key(lua_State* state, int index, int count) {
  if (lua_type(state, index) != LUA_TNUMBER) {
    return false;
  }
  const double number = lua_tonumber(state, index);
  return number >= 1 && number <= count && number == std::floor(number);
}

// Reads what TablePacker wrote.
class Unpacker {
 public:
  Unpacker(lua_State* state, std::string_view bytes) : state_(state), at_(bytes.data()) {}

  void value() {
    switch (*at_++) {
      case kFalse:
      case kTrue:
        lua_pushboolean(state_, at_[-1] == kTrue ? 1 : 0);
        break;
      case kInteger:
        lua_pushnumber(state_, read<std::int32_t>());
        break;
      case kNumber:
        lua_pushnumber(state_, read<double>());
        break;
      case kString:
        string();
        break;
      case kTable:
      case kArray:
        table(at_[-1] == kArray);
        break;
      default:
        lua_pushlightuserdata(state_, nullptr);
    }
  }

 private:
  template <typename Number>
  Number read() {
    Number number;
    std::memcpy(&number, at_, sizeof number);
    at_ += sizeof number;
    return number;
  }

  void string() {
    const auto size = read<std::uint32_t>();
    lua_pushlstring(state_, at_, size);
    at_ += size;
  }

  void table(bool marked) {
    const auto items = read<std::uint32_t>();
    const auto pairs = read<std::uint32_t>();
    lua_createtable(state_, static_cast<int>(items), static_cast<int>(pairs));
    for (std::uint32_t i = 1; i <= items; ++i) {
      value();
      lua_rawseti(state_, -2, static_cast<int>(i));
    }
    for (std::uint32_t i = 0; i < pairs; ++i) {
      value();
      value();
      lua_rawset(state_, -3);
    }
    if (marked) {
      mark_array(state_);
    }
  }

  lua_State* state_;
  const char* at_;
};

template <typename Number>
void append(std::string& out, Number number) {
  char bytes[sizeof number];
  std::memcpy(bytes, &number, sizeof number);
  out.append(bytes, sizeof number);
}

}  // namespace

bool TablePacker::pack(int index) {
  luaL_checkstack(state_, 4 * kMaxDepth + 8, "a table");
  return table(index < 0 ? lua_gettop(state_) + 1 + index : index);
}

bool TablePacker::value(int index) {
  if (out_.size() > kMaxSize) {
    return refuse("more than 64 MiB");
  }
  switch (lua_type(state_, index)) {
    case LUA_TSTRING:
      string(index);
      return true;
    case LUA_TNUMBER:
      number(lua_tonumber(state_, index));
      return true;
    case LUA_TBOOLEAN:
      out_.push_back(lua_toboolean(state_, index) != 0 ? kTrue : kFalse);
      return true;
    case LUA_TTABLE:
      return table(index);
    case LUA_TLIGHTUSERDATA:
      if (lua_touserdata(state_, index) == nullptr) {  // perigee.null
        out_.push_back(kNull);
        return true;
      }
      break;
    default:
      break;
  }
  return refuse(unwritable_kind(state_, index));
}

void TablePacker::number(double value) {
  const auto integer = static_cast<std::int32_t>(std::abs(value) < INT32_MAX ? value : 0);
  if (integer == value && (integer != 0 || !std::signbit(value))) {
    out_.push_back(kInteger);
    append(out_, integer);
  } else {
    out_.push_back(kNumber);
    append(out_, value);
  }
}

void TablePacker::string(int index) {
  std::size_t length = 0;
  const char* text = lua_tolstring(state_, index, &length);
  out_.push_back(kString);
  size(length);
  out_.append(text, length);
}

void TablePacker::size(std::size_t value) {
  append(out_, static_cast<std::uint32_t>(value));
}

bool TablePacker::table(int index) {
  const void* self = lua_topointer(state_, index);
  for (int i = 0; i < depth_; ++i) {
    if (steps_[static_cast<std::size_t>(i)].table == self) {
      return refuse("a cycle");
    }
  }
  if (depth_ == kMaxDepth) {
    return refuse("a table nested too deep");
  }
  steps_[static_cast<std::size_t>(depth_++)] = {self, {}};
  out_.push_back(is_marked_array(state_, index) ? kArray : kTable);
  const bool done = items(index);
  depth_ -= done ? 1 : 0;  // a failed walk keeps its path for the message
  return done;
}

bool TablePacker::items(int index) {
  const int count = item_count(state_, index);
  size(static_cast<std::size_t>(count));
  const std::size_t pair_count = out_.size();
  size(0);
  Step& step = steps_[static_cast<std::size_t>(depth_ - 1)];
  for (int i = 1; i <= count; ++i) {
    lua_rawgeti(state_, index, i);
    if (lua_type(state_, -1) >= LUA_TTABLE || lua_type(state_, -1) == LUA_TLIGHTUSERDATA) {
      step.place = "[" + std::to_string(i) + "]";
    }
    if (!value(lua_gettop(state_))) {
      return false;
    }
    lua_pop(state_, 1);
  }
  std::uint32_t written = 0;
  lua_pushnil(state_);
  while (lua_next(state_, index) != 0) {
    const int top = lua_gettop(state_);
    if (!is_item_key(state_, top - 1, count)) {
      if (!key(top - 1) || !value(top)) {
        return false;
      }
      ++written;
    }
    lua_pop(state_, 1);
  }
  std::memcpy(out_.data() + pair_count, &written, sizeof written);
  return true;
}

bool TablePacker::key(int index) {
  Step& step = steps_[static_cast<std::size_t>(depth_ - 1)];
  switch (lua_type(state_, index)) {
    case LUA_TSTRING:
      step.place = std::string(".") + lua_tostring(state_, index);
      string(index);
      return true;
    case LUA_TNUMBER: {
      char text[32];
      std::snprintf(text, sizeof text, "[%.14g]", lua_tonumber(state_, index));
      step.place = text;
      number(lua_tonumber(state_, index));
      return true;
    }
    case LUA_TBOOLEAN:
      step.place = lua_toboolean(state_, index) != 0 ? "[true]" : "[false]";
      out_.push_back(lua_toboolean(state_, index) != 0 ? kTrue : kFalse);
      return true;
    default:
      step.place.clear();
      return refuse("a key that is no string, number or boolean");
  }
}

bool TablePacker::refuse(const char* what) {
  error_ = std::string(what) + " at " + path() + " can't be kept";
  return false;
}

std::string TablePacker::path() const {
  std::string text = "$";
  for (int i = 0; i < depth_; ++i) {
    text += steps_[static_cast<std::size_t>(i)].place;
  }
  return text;
}

void unpack_table(lua_State* state, std::string_view bytes) {
  luaL_checkstack(state, 4 * TablePacker::kMaxDepth + 8, "a table");
  Unpacker(state, bytes).value();
}

}  // namespace perigee::script
