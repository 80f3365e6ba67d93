#include "script/json_decoder.h"

#ifdef __SSE2__
#define RAPIDJSON_SSE2  // strings and white space are passed over 16 bytes at a time
#endif
#include <rapidjson/error/en.h>
#include <rapidjson/reader.h>
#include <lua.hpp>

#include <array>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "base/escape.h"
#include "script/held_values.h"
#include "script/json_plain.h"

namespace perigee::script {
namespace {

// Builds Lua values out of the parser's events, the containers being filled lying on the Lua stack.
class Builder {
 public:
  Builder(lua_State* state, const JsonShape& shape, bool escapes)
      : state_(state), max_depth_(shape.max_depth), members_(shape.members), escapes_(escapes) {}

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
  bool StartObject() { return open(false); }
  bool Key(const char* text, rapidjson::SizeType size, bool) {
    lua_pushlstring(state_, text, size);
    return is_text(text, size);
  }
  bool EndObject(rapidjson::SizeType) { return close(); }
  bool StartArray() { return open(true); }
  bool EndArray(rapidjson::SizeType) { return close(); }

  [[nodiscard]] bool too_deep() const { return too_deep_; }
  [[nodiscard]] bool lone_surrogate() const { return lone_surrogate_; }

 private:
  static constexpr int kHeld = held_values::kMost;
  static constexpr int kHolding = 32;  // containers whose values are held
  struct Container {
    bool array;
    bool made;   // its table is on the stack
    int count;   // of values
    int likely;  // members of an object
  };

  // 2^53 + 1 would become 2^53, the last integer that counts as exact: it becomes 2^53 + 2 instead, so that it can be
  // told from it.
  static double away_from_exact(std::int64_t value) {
    constexpr std::int64_t kExact = std::int64_t{1} << 53;
    const std::int64_t next = value == kExact + 1 ? 1 : value == -kExact - 1 ? -1 : 0;
    return static_cast<double>(value + next);
  }

  // The bytes were checked, but the parser lets an escaped low surrogate without its high one through.
  bool is_text(const char* text, std::size_t size) {
    const char* const end = text + size;
    while (escapes_ && text != end && !lone_surrogate_) {
      const std::size_t sequence = utf8_length({text, end});
      lone_surrogate_ = sequence == 0;
      text += sequence;
    }
    return !lone_surrogate_;
  }

  bool number(double value) {
    lua_pushnumber(state_, value);
    return add();
  }

  bool open(bool array) {
    if (depth_ == max_depth_) {
      too_deep_ = true;
      return false;
    }
    const bool holds = depth_ < kHolding;
    luaL_checkstack(state_, holds ? 2 * kHeld + 4 : 4, "a JSON value");
    if (!holds) {
      deep_.emplace_back();
    }
    ++depth_;
    innermost() = {array, false, 0, std::exchange(members_, 0)};
    if (!holds) {
      make(innermost());
    }
    return true;
  }

  bool close() {
    if (!innermost().made) {
      make(innermost());
    }
    if (depth_ > kHolding) {
      deep_.pop_back();
    }
    --depth_;
    return add();
  }

  Container& innermost() { return depth_ > kHolding ? deep_.back() : open_[static_cast<std::size_t>(depth_ - 1)]; }

  // Puts the value on top into the container below it; the outermost value stays on the stack.
  bool add() {
    if (depth_ == 0) {
      return true;
    }
    Container& container = innermost();
    ++container.count;
    if (!container.made) {
      if (container.count == kHeld) {
        make(container);
      }
    } else if (container.array) {
      lua_rawseti(state_, -2, container.count);
    } else {
      lua_rawset(state_, -3);
    }
    return true;
  }

  // Turns what is held on the stack into its table.
  void make(Container& container) {
    const int count = container.count;
    const int first = lua_gettop(state_) + 1 - (container.array ? count : 2 * count);
    container.made = true;
    if (container.array) {
      held_values::make_array(state_, first, count);
    } else {
      held_values::make_object(state_, first, count, container.likely);
    }
  }

  lua_State* state_;
  std::array<Container, kHolding> open_;  // the outermost first
  std::vector<Container> deep_;           // those within them
  int depth_ = 0;
  int max_depth_;
  int members_;
  bool escapes_;
  bool too_deep_ = false;
  bool lone_surrogate_ = false;
};

// Where the first byte stands that is no UTF-8; the text's size when there is none. Most texts are ASCII.
std::size_t first_bad_byte(std::string_view text) {
  constexpr std::uint64_t kHighBits = 0x8080808080808080;
  const char* const end = text.data() + text.size();
  const char* at = text.data();
  while (at != end) {
    std::uint64_t eight = 0;
    if (end - at >= 8) {
      std::memcpy(&eight, at, 8);
      if ((eight & kHighBits) == 0) {
        at += 8;
        continue;
      }
    }
    const std::size_t size = utf8_length({at, end});
    if (size == 0) {
      break;
    }
    at += size;
  }
  return static_cast<std::size_t>(at - text.data());
}

// A text that the parser may write into: it decodes strings in place, and reads 16 bytes at a time, so that there is
// room behind its end. Short ones are copied to the stack.
class Copy {
 public:
  explicit Copy(std::string_view text) {
    char* to = short_;
    if (text.size() > sizeof short_ - kRoom) {
      long_.resize(text.size() + kRoom);
      to = long_.data();
    }
    std::memcpy(to, text.data(), text.size());
    std::memset(to + text.size(), 0, kRoom);
    data_ = to;
  }
  Copy(const Copy&) = delete;
  Copy& operator=(const Copy&) = delete;

  [[nodiscard]] char* data() { return data_; }

 private:
  static constexpr std::size_t kRoom = 32;

  char short_[1024];
  std::string long_;
  char* data_;
};

std::string at_byte(std::string why, std::size_t offset) {
  while (!why.empty() && why.back() == '.') {
    why.pop_back();
  }
  return why + " at byte " + std::to_string(offset + 1);
}

}  // namespace

// Every text, and what is wrong with it.
static bool decode_any(lua_State* state, std::string_view text, const JsonShape& shape, std::string& error) {
  if (const std::size_t bad = first_bad_byte(text); bad != text.size()) {
    error = at_byte("Invalid encoding in string", bad);
    return false;
  }
  if (const void* nul = std::memchr(text.data(), 0, text.size()); nul != nullptr) {  // the parser's end of a text
    error = at_byte("Invalid value", static_cast<std::size_t>(static_cast<const char*>(nul) - text.data()));
    return false;
  }
  const int top = lua_gettop(state);
  Copy copy(text);
  rapidjson::InsituStringStream stream(copy.data());
  char digits[512];  // of a number; a longer one has memory allocated
  rapidjson::MemoryPoolAllocator<> pool(digits, sizeof digits);
  rapidjson::GenericReader<rapidjson::UTF8<>, rapidjson::UTF8<>, rapidjson::MemoryPoolAllocator<>> reader(&pool);
  Builder builder(state, shape, std::memchr(text.data(), '\\', text.size()) != nullptr);
  constexpr unsigned kFlags = rapidjson::kParseInsituFlag | rapidjson::kParseFullPrecisionFlag;
  const rapidjson::ParseResult result = reader.Parse<kFlags>(stream, builder);
  if (!result.IsError()) {
    return true;
  }
  lua_settop(state, top);
  if (builder.too_deep()) {  // the bracket was taken already
    error = at_byte("nested deeper than " + std::to_string(shape.max_depth) + " levels", result.Offset() - 1);
  } else {
    error = at_byte(
        builder.lone_surrogate() ? "an escaped surrogate without its pair" : rapidjson::GetParseError_En(result.Code()),
        result.Offset());
  }
  return false;
}

bool decode_json(lua_State* state, std::string_view text, const JsonShape& shape, std::string& error) {
  return decode_plain_json(state, text, shape) || decode_any(state, text, shape, error);
}

}  // namespace perigee::script
