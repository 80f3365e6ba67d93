#include "net/shared_queue.h"

#include <catch2/catch.hpp>
#include <memory>
#include <string>

using perigee::net::SharedBytes;
using perigee::net::SharedQueue;

namespace {

std::string shown(const SharedQueue& queue, std::size_t room = 8) {
  iovec vectors[8];
  std::string text;
  for (const iovec& part : queue.fill(std::span(vectors).first(room))) {
    text.append(static_cast<const char*>(part.iov_base), part.iov_len).push_back('|');
  }
  return text;
}

}  // namespace

TEST_CASE("shared queue: parts are named in order and dropped as they are taken") {
  SharedQueue queue;
  for (const char* part : {"abc", "de", "f"}) {
    queue.push({nullptr, part});
  }
  CHECK(queue.size() == 6);
  CHECK(shown(queue) == "abc|de|f|");
  CHECK(shown(queue, 2) == "abc|de|");
  queue.consume(2);
  CHECK(shown(queue) == "c|de|f|");
  queue.consume(3);
  CHECK(shown(queue) == "f|");
  queue.consume(1);
  CHECK(queue.size() == 0);
  CHECK(shown(queue).empty());
}

TEST_CASE("shared queue: an owner is kept as long as some of its bytes wait") {
  SharedQueue queue;
  auto text = std::make_shared<std::string>("bytes");
  const std::weak_ptr<std::string> watched = text;
  queue.push({text, *text});
  text.reset();
  queue.consume(4);
  CHECK_FALSE(watched.expired());
  queue.consume(1);
  CHECK(watched.expired());
}
