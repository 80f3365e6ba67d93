#include "http/text_words.h"

#include <catch2/catch.hpp>
#include <string>

namespace text_words = perigee::http::text_words;

namespace {

std::string text_of(std::size_t size) {
  std::string text;
  for (std::size_t i = 0; i < size; ++i) {
    text += static_cast<char>('a' + i % 26);
  }
  return text;
}

}  // namespace

TEST_CASE("text words: texts are equal where size and every byte are") {
  for (std::size_t size = 0; size < 40; ++size) {
    const std::string text = text_of(size);
    CHECK(text_words::equal(text, std::string(text)));
    CHECK_FALSE(text_words::equal(text, text + "a"));
    for (std::size_t at = 0; at < size; ++at) {
      std::string other = text;
      other[at] = static_cast<char>(other[at] ^ 0x80);
      CHECK_FALSE(text_words::equal(text, other));
    }
  }
}

TEST_CASE("text words: a word holds each byte of its text and no other") {
  for (std::size_t size = 1; size <= 8; ++size) {
    const std::string text = text_of(size);
    const std::uint64_t word = text_words::word_of(text);
    std::string bytes(8, ' ');
    std::memcpy(bytes.data(), &word, 8);
    CHECK(bytes.find_first_not_of(text) == std::string::npos);
    CHECK(text.find_first_not_of(bytes) == std::string::npos);
  }
}

TEST_CASE("text words: a copy is the text, and nothing beside it is written") {
  for (std::size_t size = 0; size < 40; ++size) {
    const std::string text = text_of(size);
    std::string room(60, '.');
    CHECK(text_words::copy(room.data() + 10, text) == room.data() + 10 + size);
    CHECK(room == std::string(10, '.') + text + std::string(50 - size, '.'));
  }
}
