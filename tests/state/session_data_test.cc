#include "state/session_data.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <string>

using perigee::state::DictionaryValue;
using perigee::state::SessionEntries;
using perigee::state::ValueKind;

namespace {

DictionaryValue text(std::string_view bytes) {
  return {ValueKind::kString, 0, bytes};
}

std::string entry(std::string_view key, const DictionaryValue& value) {
  std::string out;
  SessionEntries::append(out, key, value);
  return out;
}

}  // namespace

TEST_CASE("session data: every kind of value is found under its key") {
  const std::string long_key(SessionEntries::kLongestKey, 'k');
  const std::string bytes = entry("s", text("one")) + entry("n", {ValueKind::kNumber, -0.5, {}}) +
                            entry("t", {ValueKind::kTrue, 0, {}}) + entry("f", {ValueKind::kFalse, 0, {}}) +
                            entry(long_key, {ValueKind::kTable, 0, std::string_view("a\0b", 3)}) + entry("e", text(""));
  CHECK(SessionEntries::is_sound(bytes));
  CHECK(SessionEntries::find(bytes, "s").bytes == "one");
  CHECK(SessionEntries::find(bytes, "n").number == -0.5);
  CHECK(SessionEntries::find(bytes, "t").kind == ValueKind::kTrue);
  CHECK(SessionEntries::find(bytes, "f").kind == ValueKind::kFalse);
  CHECK(SessionEntries::find(bytes, long_key).bytes == std::string_view("a\0b", 3));
  CHECK(SessionEntries::find(bytes, "e").kind == ValueKind::kString);
  CHECK(SessionEntries::find(bytes, "x").kind == ValueKind::kNone);
  CHECK(SessionEntries::find("", "s").kind == ValueKind::kNone);
}

TEST_CASE("session data: changes replace, add and remove keys, and leave the others") {
  const std::string before = entry("a", text("1")) + entry("b", text("2")) + entry("c", text("3"));
  const std::string changes = entry("b", text("two")) + entry("c", {}) + entry("d", text("4")) + entry("x", {});
  const std::string after = SessionEntries::merge(before, changes);
  CHECK(after == entry("a", text("1")) + entry("b", text("two")) + entry("d", text("4")));
  CHECK(SessionEntries::merge("", before) == before);
  CHECK(SessionEntries::merge(before, "") == before);
}

TEST_CASE("session data: the user is a text, a number's digits, or nobody") {
  CHECK(SessionEntries::user(entry("user", text("ada"))) == "ada");
  CHECK(SessionEntries::user(entry("user", {ValueKind::kNumber, 42, {}})) == "42");
  CHECK(SessionEntries::user(entry("user", {ValueKind::kNumber, 0.1, {}})) == "0.1");
  CHECK(SessionEntries::user(entry("user", {ValueKind::kNumber, 9007199254740991, {}})) == "9007199254740991");
  CHECK(SessionEntries::user(entry("user", {ValueKind::kNumber, 9007199254740990, {}})) == "9007199254740990");
  CHECK(SessionEntries::user(entry("user", {ValueKind::kNumber, std::nan(""), {}})) == "");
  CHECK(SessionEntries::user(entry("user", {ValueKind::kTrue, 0, {}})) == "");
  CHECK(SessionEntries::user(entry("user", {})) == "");
  CHECK_FALSE(SessionEntries::user(entry("name", text("ada"))).has_value());
}

TEST_CASE("session data: bytes that are no entries are seen") {
  const std::string sound = entry("key", text("value")) + entry("n", {ValueKind::kNumber, 1, {}});
  for (std::size_t size = 1; size < sound.size(); ++size) {
    INFO(size);
    CHECK(SessionEntries::is_sound(std::string_view(sound).substr(0, size)) == (size == 14));
  }
  std::string kind = sound;
  kind[0] = 9;
  CHECK_FALSE(SessionEntries::is_sound(kind));
  std::string huge = sound;
  huge[5] = '\xff';
  CHECK_FALSE(SessionEntries::is_sound(huge));
  CHECK_FALSE(SessionEntries::is_sound(entry("", text("x"))));
  CHECK_FALSE(SessionEntries::is_sound(entry("x", {})));
}
