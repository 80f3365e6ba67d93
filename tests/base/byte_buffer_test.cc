#include "base/byte_buffer.h"

#include <catch2/catch.hpp>
#include <string>

using perigee::BufferPool;
using perigee::ByteBuffer;

TEST_CASE("byte buffer: what is appended is read in order") {
  BufferPool pool;
  ByteBuffer buffer(pool);
  CHECK(buffer.empty());
  buffer.append("abc");
  buffer.append("def");
  CHECK(buffer.readable() == "abcdef");
  buffer.consume(2);
  CHECK(buffer.readable() == "cdef");
  buffer.truncate(1);
  CHECK(buffer.readable() == "c");
}

TEST_CASE("byte buffer: growing past the pool's block keeps every byte") {
  BufferPool pool;
  ByteBuffer buffer(pool);
  std::string expected;
  for (int i = 0; i < 5000; ++i) {
    const std::string piece = std::to_string(i) + ",";
    buffer.append(piece);
    expected += piece;
    if (i % 7 == 0) {
      buffer.consume(1);
      expected.erase(0, 1);
    }
  }
  CHECK(buffer.readable() == expected);
}

TEST_CASE("byte buffer: room in front is used before a larger block is taken") {
  BufferPool pool;
  ByteBuffer buffer(pool);
  buffer.append(std::string(BufferPool::kBlockSize, 'x'));
  buffer.consume(BufferPool::kBlockSize - 1);
  buffer.append("yz");
  CHECK(buffer.readable() == "xyz");
  CHECK(buffer.size() + buffer.room() == BufferPool::kBlockSize);
}

TEST_CASE("byte buffer: an empty buffer gives its block back and can be used again") {
  BufferPool pool;
  ByteBuffer buffer(pool);
  buffer.append("abc");
  buffer.release_if_empty();
  CHECK(buffer.readable() == "abc");
  buffer.consume(3);
  buffer.release_if_empty();
  CHECK(buffer.room() == 0);
  buffer.append("again");
  CHECK(buffer.readable() == "again");
}

TEST_CASE("byte buffer: a moved buffer leaves an empty one") {
  BufferPool pool;
  ByteBuffer first(pool);
  first.append("abc");
  ByteBuffer second(std::move(first));
  CHECK(second.readable() == "abc");
  first.append("usable");
  CHECK(first.readable() == "usable");
}

TEST_CASE("byte buffer: room that is reserved becomes readable by what is committed of it") {
  BufferPool pool;
  ByteBuffer buffer(pool);
  char* const room = buffer.reserve(100);
  CHECK(buffer.room() >= 100);
  std::memcpy(room, "abcdef", 6);
  buffer.commit(4);
  CHECK(buffer.readable() == "abcd");
  CHECK(buffer.data() == room);
}

TEST_CASE("byte buffer: a block larger than the pool's goes when it runs empty") {
  BufferPool pool;
  ByteBuffer buffer(pool);
  buffer.append(std::string(BufferPool::kBlockSize + 1, 'x'));
  CHECK(buffer.size() + buffer.room() > BufferPool::kBlockSize);
  buffer.release_if_empty();
  CHECK(buffer.size() == BufferPool::kBlockSize + 1);
  buffer.consume(buffer.size());
  buffer.release_if_empty();
  CHECK(buffer.room() == 0);
  buffer.append("small again");
  CHECK(buffer.size() + buffer.room() == BufferPool::kBlockSize);
}

TEST_CASE("byte buffer: release drops bytes that were not read") {
  BufferPool pool;
  ByteBuffer buffer(pool);
  buffer.append("abc");
  buffer.release();
  CHECK(buffer.empty());
  CHECK(buffer.room() == 0);
  buffer.release();
  buffer.append("d");
  CHECK(buffer.readable() == "d");
}

TEST_CASE("byte buffer: two that are swapped or assigned trade their bytes") {
  BufferPool pool;
  ByteBuffer first(pool);
  ByteBuffer second(pool);
  first.append("first");
  second.append(std::string(20'000, 's'));
  first.swap(second);
  CHECK(first.size() == 20'000);
  CHECK(second.readable() == "first");
  first = std::move(second);
  CHECK(first.readable() == "first");
}

TEST_CASE("byte buffer: what is appended of nothing changes nothing") {
  BufferPool pool;
  ByteBuffer buffer(pool);
  buffer.append("abc");
  buffer.append("");
  buffer.consume(0);
  buffer.truncate(3);
  CHECK(buffer.readable() == "abc");
}
