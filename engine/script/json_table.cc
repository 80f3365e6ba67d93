#include "script/json_table.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "script/json_number.h"
#include "script/json_text.h"

namespace perigee::script {
namespace {

// Every function takes the place that it writes to, which has room for kAround bytes, and returns the one behind what
// it has written, which has as many; null where it gives up.
class TableWriter {
 public:
  TableWriter(const JsonMarks& marks, const JsonLimits& limits, ByteBuffer& out)
      : marks_(marks), limits_(limits), out_(out) {}

  bool write(const RawTable& whole) {
    char* const at = table(open(kFirst), whole, nullptr);
    if (at == nullptr) {
      return false;
    }
    commit(at);
    return out_.size() <= limits_.size;
  }

 private:
  static constexpr std::size_t kFirst = 256;  // bytes: more than most need
  static constexpr std::size_t kAround = 4;   // a comma, a colon, a bracket or two

  // A table and those that it lies in.
  struct Level {
    const RawTable& table;
    const Level* outer;
    int depth;
  };

  char* open(std::size_t size) {
    char* const at = out_.reserve(size);
    end_ = at + out_.room();
    return at;
  }

  void commit(const char* at) { out_.commit(static_cast<std::size_t>(at - out_.data()) - out_.size()); }

  // A place with room for so many bytes and kAround more.
  char* room(char* at, std::size_t size) {
    return static_cast<std::size_t>(end_ - at) >= size + kAround ? at : more(at, size + kAround);
  }

  [[gnu::noinline]] char* more(char* at, std::size_t size) {
    commit(at);
    return out_.size() <= limits_.size ? open(size) : nullptr;
  }

  char* word(char* at, std::string_view text) {
    at = room(at, text.size());
    if (at != nullptr) {
      std::memcpy(at, text.data(), text.size());
      at += text.size();
    }
    return at;
  }

  [[gnu::always_inline]] char* string(char* at, std::string_view text) {
    at = room(at, text.size() + 2);
    if (at == nullptr) {
      return nullptr;
    }
    if (!copy_plain_text(at + 1, text)) [[unlikely]] {
      return escaped(at, text);
    }
    *at = '"';
    at += text.size() + 2;
    at[-1] = '"';
    return at;
  }

  [[gnu::noinline]] char* escaped(char* at, std::string_view text) {
    commit(at);
    return append_json_text(out_, text) ? open(kAround) : nullptr;
  }

  [[gnu::noinline]] char* number(char* at, double value) {
    at = room(at, kMostDigits);
    return at != nullptr ? write_json_number(at, value) : nullptr;
  }

  [[gnu::always_inline]] char* value(char* at, RawValue value, const Level& level) {
    return value.is_string() ? string(at, value.string().view()) : other(at, value, level);
  }

  [[gnu::noinline]] char* other(char* at, RawValue value, const Level& level) {
    if (value.is_number()) {
      return number(at, value.number());
    }
    if (value.is_table()) {
      return table(at, value.table(), &level);
    }
    if (value == marks_.null) {
      return word(at, "null");
    }
    return value.is_true() ? word(at, "true") : value.is_false() ? word(at, "false") : nullptr;
  }

  // Whether the table may stand where it does.
  [[nodiscard]] bool fits(const Level& level) const {
    for (const Level* outer = level.outer; outer != nullptr; outer = outer->outer) {
      if (&outer->table == &level.table) {
        return false;
      }
    }
    return level.depth <= limits_.depth;
  }

  char* table(char* at, const RawTable& table, const Level* outer) {
    const Level level{table, outer, outer != nullptr ? outer->depth + 1 : 1};
    at = room(at, 2);
    if (at == nullptr || !fits(level)) {
      return nullptr;
    }
    at = is_list(table) ? list(at, level) : object(at, level);
    return at != nullptr ? room(at, 0) : nullptr;
  }

  [[nodiscard]] bool is_list(const RawTable& table) const {
    return (table.slot_count > 1 && !table.slots[1].is_nil()) ||
           (table.metatable != nullptr && table.metatable == marks_.array);
  }

  char* list(char* at, const Level& level) {
    const RawTable& table = level.table;
    *at++ = '[';
    std::uint32_t next = 1;
    for (; next < table.slot_count && !table.slots[next].is_nil(); ++next) {
      at = value(at, table.slots[next], level);
      if (at == nullptr) {
        return nullptr;
      }
      *at++ = ',';
    }
    return has_slots(table, next) || has_nodes(table) ? nullptr : closed(at, ']');
  }

  char* object(char* at, const Level& level) {
    const RawTable& table = level.table;
    if (has_slots(table, 1)) {
      return nullptr;
    }
    *at++ = '{';
    for (std::uint32_t i = 0; i <= table.last_node; ++i) {
      const RawNode& node = table.nodes[i];
      if (!node.value.is_nil()) {
        at = node.key.is_string() ? string(at, node.key.string().view()) : nullptr;
        if (at == nullptr) {
          return nullptr;
        }
        *at++ = ':';
        at = value(at, node.value, level);
        if (at == nullptr) {
          return nullptr;
        }
        *at++ = ',';
      }
    }
    return closed(at, '}');
  }

  // Puts a bracket behind what is inside, in the place of the last comma.
  static char* closed(char* at, char bracket) {
    at -= at[-1] == ',' ? 1 : 0;
    *at = bracket;
    return at + 1;
  }

  // Whether anything stands under 0, or under `from` or above.
  static bool has_slots(const RawTable& table, std::uint32_t from) {
    if (table.slot_count == 0) {
      return false;
    }
    const auto is_set = [](const RawValue& value) { return !value.is_nil(); };
    const RawValue* const end = table.slots + table.slot_count;
    return is_set(table.slots[0]) || std::any_of(table.slots + from, end, is_set);
  }

  static bool has_nodes(const RawTable& table) {
    return std::any_of(table.nodes, table.nodes + table.last_node + 1,
                       [](const RawNode& node) { return !node.value.is_nil(); });
  }

  const JsonMarks& marks_;
  const JsonLimits& limits_;
  ByteBuffer& out_;
  const char* end_ = nullptr;  // of the room
};

}  // namespace

bool write_json_table(const RawTable& table, const JsonMarks& marks, const JsonLimits& limits, ByteBuffer& out) {
  const std::size_t before = out.size();
  if (TableWriter(marks, limits, out).write(table)) {
    return true;
  }
  out.truncate(before);
  return false;
}

}  // namespace perigee::script
