#include "script/json_decoder.h"

#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>
#include <lua.hpp>

#include <cstdint>
#include <vector>

#include "script/bind.h"
#include "script/json_text.h"

namespace perigee::script {
namespace {

// Builds Lua values out of the parser's events, the containers being filled lying on the Lua stack.
class Builder {
 public:
  Builder(lua_State* state, int max_depth) : state_(state), max_depth_(max_depth) {}

  bool Null() {
    lua_pushlightuserdata(state_, nullptr);
    return add();
  }
  bool Bool(bool value) {
    lua_pushboolean(state_, value ? 1 : 0);
    return add();
  }
  bool Int(int value) { return number(value); }
  bool Uint(unsigned value) { return number(value); }
  bool Int64(std::int64_t value) { return number(away_from_exact(value)); }
  bool Uint64(std::uint64_t value) {
    return number(value > INT64_MAX ? static_cast<double>(value) : away_from_exact(static_cast<std::int64_t>(value)));
  }
  bool Double(double value) { return number(value); }
  bool RawNumber(const char*, rapidjson::SizeType, bool) { return false; }
  bool String(const char* text, rapidjson::SizeType size, bool) {
    lua_pushlstring(state_, text, size);
    return is_text(text, size) && add();
  }
  bool StartObject() { return open(0); }
  bool Key(const char* text, rapidjson::SizeType size, bool) {
    lua_pushlstring(state_, text, size);
    return is_text(text, size);
  }
  bool EndObject(rapidjson::SizeType) { return close(); }
  bool StartArray() {
    if (!open(1)) {
      return false;
    }
    lua_pushlightuserdata(state_, &RegistryKeys::array);
    lua_rawget(state_, LUA_REGISTRYINDEX);
    lua_setmetatable(state_, -2);
    return true;
  }
  bool EndArray(rapidjson::SizeType) { return close(); }

  [[nodiscard]] bool too_deep() const { return too_deep_; }
  [[nodiscard]] bool lone_surrogate() const { return lone_surrogate_; }

 private:
  // 2^53 + 1 would become 2^53, the last integer that counts as exact: it becomes 2^53 + 2 instead, so that it can be
  // told from it.
  static double away_from_exact(std::int64_t value) {
    constexpr std::int64_t kExact = std::int64_t{1} << 53;
    const std::int64_t next = value == kExact + 1 ? 1 : value == -kExact - 1 ? -1 : 0;
    return static_cast<double>(value + next);
  }

  // The parser checks the bytes it reads, but lets an escaped low surrogate without its high one through.
  bool is_text(const char* text, std::size_t size) {
    const char* const end = text + size;
    while (text != end && !lone_surrogate_) {
      const std::size_t sequence = utf8_sequence(text, end);
      lone_surrogate_ = sequence == 0;
      text += sequence;
    }
    return !lone_surrogate_;
  }

  bool number(double value) {
    lua_pushnumber(state_, value);
    return add();
  }

  bool open(int next_index) {
    if (static_cast<int>(next_.size()) == max_depth_) {
      too_deep_ = true;
      return false;
    }
    luaL_checkstack(state_, 4, "a JSON value");
    lua_newtable(state_);
    next_.push_back(next_index);
    return true;
  }

  bool close() {
    next_.pop_back();
    return add();
  }

  // Puts the value on top into the container below it; the outermost value stays on the stack.
  bool add() {
    if (next_.empty()) {
      return true;
    }
    if (next_.back() > 0) {
      lua_rawseti(state_, -2, next_.back()++);
    } else {
      lua_rawset(state_, -3);
    }
    return true;
  }

  lua_State* state_;
  std::vector<int> next_;  // per open container: the next index of an array, 0 for an object
  int max_depth_;
  bool too_deep_ = false;
  bool lone_surrogate_ = false;
};

}  // namespace

bool decode_json(lua_State* state, std::string_view text, int max_depth, std::string& error) {
  const int top = lua_gettop(state);
  rapidjson::MemoryStream stream(text.data(), text.size());
  rapidjson::Reader reader;
  Builder builder(state, max_depth);
  constexpr unsigned kFlags =
      rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag | rapidjson::kParseFullPrecisionFlag;
  const rapidjson::ParseResult result = reader.Parse<kFlags>(stream, builder);
  if (!result.IsError()) {
    return true;
  }
  lua_settop(state, top);
  error = builder.too_deep()         ? "nested deeper than " + std::to_string(max_depth) + " levels"
          : builder.lone_surrogate() ? "an escaped surrogate without its pair"
                                     : rapidjson::GetParseError_En(result.Code());
  while (!error.empty() && error.back() == '.') {
    error.pop_back();
  }
  error += " at byte " + std::to_string(result.Offset() + 1);
  return false;
}

}  // namespace perigee::script
