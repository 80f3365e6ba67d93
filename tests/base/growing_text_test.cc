#include "base/growing_text.h"

#include <catch2/catch.hpp>
#include <cstring>
#include <limits>
#include <new>
#include <string>

#include "../memory_faults.h"

using perigee::GrowingText;

namespace {

bool is_refused(GrowingText& text, std::size_t size) {
  try {
    (void)text.reserve(size);
  } catch (const std::bad_alloc&) {
    return true;
  }
  return false;
}

}  // namespace

TEST_CASE("growing text: holds what is appended, whatever its size") {
  GrowingText text;
  CHECK(text.empty());
  CHECK(text == "");
  std::string expected;
  for (std::size_t size = 0; size < 2000; size += 37) {
    const std::string part(size, static_cast<char>('a' + size % 26));
    text.append(part).append("\r\n");
    expected += part + "\r\n";
  }
  CHECK(text.view() == expected);
}

TEST_CASE("growing text: takes in as much as was committed of what was reserved") {
  GrowingText text;
  text.append("a");
  std::memcpy(text.reserve(1000), "bcd", 3);
  CHECK(text == "a");
  text.commit(2);
  CHECK(text == "abc");
  CHECK(text.capacity() >= 1001);
}

TEST_CASE("growing text: is empty again with its room kept, or given back") {
  GrowingText text;
  text.append(std::string(5000, 'x'));
  const std::size_t room = text.capacity();
  text.clear();
  CHECK(text.empty());
  CHECK(text.capacity() == room);
  text.append("y");
  CHECK(text == "y");
  text.release();
  CHECK(text.empty());
  CHECK(text.capacity() == 0);
  text.append("z");
  CHECK(text == "z");
}

TEST_CASE("growing text: a want of memory leaves it as it was") {
  GrowingText text;
  text.append("kept");
  memory_faults::fail_once(1);
  const bool refused = is_refused(text, 1000);
  memory_faults::fail_none();
  CHECK(refused);
  CHECK(text == "kept");
  text.append(std::string(1000, 'x'));
  CHECK(text.view().size() == 1004);
}

TEST_CASE("growing text: what no memory could hold is refused") {
  GrowingText text;
  text.append("kept");
  const std::size_t most = std::numeric_limits<std::size_t>::max();
  for (const std::size_t size : {most, most - 4, most / 2, most / 2 + 1, most / 4}) {
    CHECK(is_refused(text, size));
    CHECK(text == "kept");
  }
}
