#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "state/dictionary_shard.h"

namespace perigee::state {

/// What a session holds, as one string: its entries one after the other, each
///
///   kind (1 byte) | size of the key (1) | size of the value (4) | key | value
///
/// A number's value is its eight bytes; booleans have none. The same form carries changes, where an entry of the kind
/// kNone removes its key. Kind and bytes are what dictionaries keep (DictionaryValue).
class SessionEntries {
 public:
  static constexpr std::size_t kLongestKey = 255;  ///< bytes, and at least 1

  explicit SessionEntries(std::string_view bytes) : rest_(bytes) {}

  /// Goes to the next entry, or to the first; false at the end.
  [[nodiscard]] bool next();
  [[nodiscard]] std::string_view key() const { return key_; }
  [[nodiscard]] DictionaryValue value() const;
  /// The whole entry.
  [[nodiscard]] std::string_view bytes() const { return bytes_; }

  /// Appends an entry. REQUIRES: a key of 1 to kLongestKey bytes, a value below 4 GiB.
  static void append(std::string& out, std::string_view key, const DictionaryValue& value);

  /// The value of a key; kNone where there is none.
  [[nodiscard]] static DictionaryValue find(std::string_view bytes, std::string_view key);

  /// What `bytes` are once `changes` are made in them.
  [[nodiscard]] static std::string merge(std::string_view bytes, std::string_view changes);

  /// Whether bytes from outside are entries, so that walking them stays within. What is in the values is not looked at.
  [[nodiscard]] static bool is_sound(std::string_view bytes);

  /// Whom entries, or changes, say a session belongs to: the text of their key `user`, a number as its digits; "" for
  /// nobody; nothing where there is no such entry.
  [[nodiscard]] static std::optional<std::string> user(std::string_view bytes);

 private:
  std::string_view rest_;
  std::string_view bytes_;
  std::string_view key_;
};

}  // namespace perigee::state
