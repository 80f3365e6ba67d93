#include "script/json_object.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "http/text_words.h"
#include "script/json_cursor.h"

namespace perigee::script {

// As lua/perigee/json_body.lua expects them.
static_assert(sizeof(JsonField) == 24 && sizeof(JsonValue) == 32);

namespace {

class ObjectReader : private JsonCursor {
 public:
  ObjectReader(std::string_view json, int max_depth) : JsonCursor(json), max_depth_(max_depth) {}

  bool read(JsonField* fields, std::int32_t count, JsonValue* values) {
    if (!take('{')) {
      return false;
    }
    std::int32_t* guess = &fields[count].next;
    const bool whole = members([&](std::string_view name) {
      std::int32_t at = *guess;
      for (std::int32_t tries = 0; tries < count; ++tries) {
        if (is_name(fields[at], name)) {
          *guess = at;
          guess = &fields[at].next;
          return scalar(values[at]) && is_of_type(values[at], fields[at].type);
        }
        at = at + 1 < count ? at + 1 : 0;
      }
      return skip(2);
    });
    skip_space();
    return whole && at_ == end_;
  }

 private:
  static bool is_name(const JsonField& field, std::string_view name) {
    return http::text_words::equal(field.name.view(), name);
  }

  static bool is_of_type(const JsonValue& value, http::PathType type) {
    double number = 0;
    switch (type) {
      case http::PathType::kUuid:
      case http::PathType::kDate:
      case http::PathType::kKeyword:
      case http::PathType::kSlug:
        return value.kind != JsonKind::kText || http::parse_path_value(type, value.text.view(), number);
      case http::PathType::kString:
      case http::PathType::kInteger:
      case http::PathType::kNumber:
      case http::PathType::kBoolean:
      case http::PathType::kJson:
      case http::PathType::kCustom:
        break;
    }
    return true;
  }

  bool scalar(JsonValue& value) {
    skip_space();
    if (at_ == end_) {
      return false;
    }
    std::string_view text;
    switch (*at_) {
      case '"':
        ++at_;
        value.kind = JsonKind::kText;
        if (!string(text)) {
          return false;
        }
        value.text = Slice::of(text);
        return true;
      case 't':
        value.kind = JsonKind::kTrue;
        return word("true");
      case 'f':
        value.kind = JsonKind::kFalse;
        return word("false");
      case 'n':
        value.kind = JsonKind::kNull;
        return word("null");
      case '{':
      case '[':
        return false;
      default:
        value.kind = JsonKind::kNumber;
        return number(value.number);
    }
  }

  // What follows an opening brace, the closing one included; `take_value(name)` takes each value.
  template <typename TakeValue>
  bool members(const TakeValue& take_value) {
    if (take('}')) {
      return true;
    }
    do {
      std::string_view name;
      if (!take('"') || !string(name) || !take(':') || !take_value(name)) {
        return false;
      }
    } while (take(','));
    return take('}');
  }

  // Passes over a value that would be the `depth`-th of those around it.
  bool skip(int depth) {
    skip_space();
    if (at_ == end_ || (*at_ != '{' && *at_ != '[')) {
      JsonValue ignored;
      return scalar(ignored);
    }
    if (depth > max_depth_) {
      return false;
    }
    if (*at_++ == '{') {
      return members([this, depth](std::string_view) { return skip(depth + 1); });
    }
    if (take(']')) {
      return true;
    }
    do {
      if (!skip(depth + 1)) {
        return false;
      }
    } while (take(','));
    return take(']');
  }

  const int max_depth_;
};

}  // namespace

bool read_json_object(std::string_view json, int max_depth, JsonField* fields, std::int32_t count,
                      JsonValue* values) noexcept {
  for (std::int32_t i = 0; i < count; ++i) {
    values[i].kind = JsonKind::kAbsent;
  }
  return ObjectReader(json, max_depth).read(fields, count, values);
}

}  // namespace perigee::script
