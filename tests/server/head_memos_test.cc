#include "server/head_memos.h"

#include <catch2/catch.hpp>
#include <string_view>

#include "http/head_scanner.h"

using perigee::http::HeadMemo;
using perigee::http::HeadScanner;
using perigee::http::RequestHead;
using perigee::server::HeadMemos;

namespace {

constexpr std::string_view kLines = "Host: a\r\n\r\n";
constexpr std::string_view kBytes = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

void learn(HeadMemo& memo) {
  HeadScanner scanner;
  RequestHead head;
  REQUIRE(scanner.scan(kBytes.data(), kBytes.size(), {}, head, &memo) == HeadScanner::Verdict::kComplete);
}

bool knows(const HeadMemo& memo) {
  return memo.matches(kLines.data(), kLines.data() + kLines.size());
}

/// Another connection that has the same place as one that has learned just now.
const char* rival_among(HeadMemos& memos, const char* others) {
  while (memos.of(others) != nullptr) {
    ++others;
  }
  return others;
}

}  // namespace

TEST_CASE("head memos: a connection has its own, until it ends") {
  HeadMemos memos;
  const char connections[2] = {};
  HeadMemo* memo = memos.of(&connections[0]);
  REQUIRE(memo != nullptr);
  learn(*memo);
  CHECK(memos.of(&connections[0]) == memo);
  CHECK(memos.of(&connections[1]) != memo);
  memos.forget(&connections[1]);
  CHECK(knows(*memos.of(&connections[0])));
  memos.forget(&connections[0]);
  REQUIRE(memos.of(&connections[0]) != nullptr);
  CHECK_FALSE(knows(*memos.of(&connections[0])));
}

TEST_CASE(
    "head memos: of two connections in one place the one that makes use of it keeps it, and none sees the other's") {
  HeadMemos memos;
  const char connections[20 * HeadMemos::kPlaces] = {};
  const char* one = connections;
  learn(*memos.of(one));
  const char* two = rival_among(memos, connections + 1);
  learn(*memos.of(one));
  int refused = 0;
  while (memos.of(two) == nullptr) {
    ++refused;
  }
  CHECK(refused > 0);
  CHECK(refused < 100);
  CHECK_FALSE(knows(*memos.of(two)));
  memos.forget(one);  // which is not there any more
  learn(*memos.of(two));
  CHECK(knows(*memos.of(two)));
}

TEST_CASE("head memos: with other limits nothing is remembered") {
  HeadMemos memos;
  const char connection = 0;
  learn(*memos.of(&connection));
  memos.clear();
  CHECK_FALSE(knows(*memos.of(&connection)));
}
