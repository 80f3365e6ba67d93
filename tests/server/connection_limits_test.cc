#include "server/connection_limits.h"

#include <catch2/catch.hpp>
#include <thread>
#include <vector>

using perigee::net::PeerAddress;
using perigee::server::ConnectionLimits;
using Verdict = ConnectionLimits::Verdict;

namespace {

PeerAddress peer(std::uint8_t last, std::uint16_t port = 1) {
  PeerAddress address;
  address.family = AF_INET;
  address.port = port;
  address.bytes = {192, 0, 2, last};
  return address;
}

PeerAddress unix_peer() {
  PeerAddress address;
  address.family = AF_UNIX;
  return address;
}

}  // namespace

TEST_CASE("connection limits: as many are admitted as there may be in all") {
  ConnectionLimits limits;
  CHECK(limits.admit(peer(1), 2, 0) == Verdict::kAdmitted);
  CHECK(limits.admit(peer(2), 2, 0) == Verdict::kAdmitted);
  CHECK(limits.admit(peer(3), 2, 0) == Verdict::kTooMany);
  CHECK(limits.count() == 2);
  limits.release(peer(1));
  CHECK(limits.admit(peer(3), 2, 0) == Verdict::kAdmitted);
}

TEST_CASE("connection limits: an address has a limit of its own, whatever its ports") {
  ConnectionLimits limits;
  CHECK(limits.admit(peer(1, 10), 100, 2) == Verdict::kAdmitted);
  CHECK(limits.admit(peer(1, 11), 100, 2) == Verdict::kAdmitted);
  CHECK(limits.admit(peer(1, 12), 100, 2) == Verdict::kTooManyFromAddress);
  CHECK(limits.admit(peer(2, 12), 100, 2) == Verdict::kAdmitted);
  CHECK(limits.count() == 3);
  limits.release(peer(1, 10));
  CHECK(limits.admit(peer(1, 13), 100, 2) == Verdict::kAdmitted);
}

TEST_CASE("connection limits: one that is refused counts nowhere") {
  ConnectionLimits limits;
  REQUIRE(limits.admit(peer(1), 100, 1) == Verdict::kAdmitted);
  for (int i = 0; i < 10; ++i) {
    CHECK(limits.admit(peer(1), 100, 1) == Verdict::kTooManyFromAddress);
  }
  CHECK(limits.count() == 1);
  limits.release(peer(1));
  CHECK(limits.count() == 0);
  CHECK(limits.admit(peer(1), 100, 1) == Verdict::kAdmitted);
}

TEST_CASE("connection limits: unix sockets count in all, not by address") {
  ConnectionLimits limits;
  CHECK(limits.admit(unix_peer(), 3, 1) == Verdict::kAdmitted);
  CHECK(limits.admit(unix_peer(), 3, 1) == Verdict::kAdmitted);
  CHECK(limits.admit(unix_peer(), 2, 1) == Verdict::kTooMany);
  limits.release(unix_peer());
  CHECK(limits.count() == 1);
}

TEST_CASE("connection limits: a limit that was lowered lets nobody in until enough have gone") {
  ConnectionLimits limits;
  for (std::uint8_t i = 0; i < 5; ++i) {
    REQUIRE(limits.admit(peer(i), 5, 0) == Verdict::kAdmitted);
  }
  CHECK(limits.admit(peer(9), 3, 0) == Verdict::kTooMany);
  limits.release(peer(0));
  limits.release(peer(1));
  CHECK(limits.admit(peer(9), 3, 0) == Verdict::kTooMany);
  limits.release(peer(2));
  CHECK(limits.admit(peer(9), 3, 0) == Verdict::kAdmitted);
}

TEST_CASE("connection limits: threads that admit and release leave nothing behind") {
  ConnectionLimits limits;
  std::vector<std::thread> threads;
  for (std::uint8_t id = 0; id < 4; ++id) {
    threads.emplace_back([&limits, id] {
      for (int i = 0; i < 1000; ++i) {
        if (limits.admit(peer(id % 2), 3, 2) == Verdict::kAdmitted) {
          limits.release(peer(id % 2));
        }
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  CHECK(limits.count() == 0);
  CHECK(limits.admit(peer(0), 1, 1) == Verdict::kAdmitted);
}

TEST_CASE("connection limits: an address that is learned later counts from then on") {
  ConnectionLimits limits;
  REQUIRE(limits.admit(PeerAddress(), 100, 1) == Verdict::kAdmitted);
  REQUIRE(limits.admit(PeerAddress(), 100, 1) == Verdict::kAdmitted);
  CHECK(limits.attribute(peer(1), 1) == Verdict::kAdmitted);
  CHECK(limits.attribute(peer(1, 2), 1) == Verdict::kTooManyFromAddress);
  CHECK(limits.attribute(peer(2), 1) == Verdict::kAdmitted);
  CHECK(limits.attribute(unix_peer(), 1) == Verdict::kAdmitted);
  CHECK(limits.count() == 2);
  limits.release(PeerAddress());
  limits.release(peer(1));
  CHECK(limits.count() == 0);
  CHECK(limits.attribute(peer(1), 1) == Verdict::kAdmitted);
}
