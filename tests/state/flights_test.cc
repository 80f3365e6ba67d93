#include "state/flights.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>
#include <vector>

using perigee::state::Flights;
using Role = Flights::Role;
using Landing = Flights::Landing;

namespace {

struct AtOnce final : perigee::Executor {
  void post(std::function<void()> work) override { work(); }
};

struct Party {
  Flights flights;
  AtOnce executor;
  std::vector<std::string> told;
  int one = 0;
  int two = 0;

  Role join(const void* group, double number, const std::string& name = "x") {
    return flights.join(name, {{group, number}, &executor, [this, number](const Flights::Shared& result) {
                                 told.push_back(std::to_string(static_cast<int>(number)) + ":" + result->bytes +
                                                std::to_string(static_cast<int>(result->landing)));
                               }});
  }
};

}  // namespace

TEST_CASE("flights: one computes, the others wait and are told the result once") {
  Party party;
  CHECK(party.join(&party.one, 1) == Role::kComputes);
  CHECK(party.join(&party.one, 1) == Role::kComputesAlready);
  CHECK(party.join(&party.one, 2) == Role::kWaits);
  CHECK(party.join(&party.two, 1, "y") == Role::kComputes);
  CHECK(party.join(&party.two, 3) == Role::kWaits);
  Flights::Result result;
  result.landing = Landing::kValue;
  result.bytes = "v";
  party.flights.land("x", {&party.two, 1}, result);  // it computes something else
  CHECK(party.told.empty());
  party.flights.land("x", {&party.one, 1}, result);
  CHECK(party.told == std::vector<std::string>{"2:v0", "3:v0"});
  CHECK(party.flights.size() == 1);
  CHECK(party.join(&party.two, 3) == Role::kComputes);
}

TEST_CASE("flights: whoever leaves waits no longer, and what it computed is abandoned") {
  Party party;
  CHECK(party.join(&party.one, 1) == Role::kComputes);
  CHECK(party.join(&party.two, 2) == Role::kWaits);
  CHECK(party.join(&party.two, 3) == Role::kWaits);
  party.flights.leave({&party.two, 2});
  party.flights.leave({&party.two, 9});
  party.flights.leave(&party.one);
  CHECK(party.told == std::vector<std::string>{"3:2"});
  CHECK(party.flights.size() == 0);
}

TEST_CASE("flights: of many threads one computes at a time") {
  Flights flights;
  AtOnce executor;
  std::atomic<int> computing{0};
  std::atomic<int> computed{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 1000; ++i) {
        const Flights::Member member{&flights, static_cast<double>(t)};
        std::atomic<bool> told{false};
        const Role role = flights.join("x", {member, &executor, [&told](const Flights::Shared&) { told = true; }});
        if (role == Role::kComputes) {
          computed += computing++ == 0 ? 1 : 1'000'000;
          --computing;
          flights.land("x", member, {});
        } else {
          while (!told) {
            std::this_thread::yield();
          }
        }
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  CHECK(computed > 0);
  CHECK(computed <= 4000);
  CHECK(flights.size() == 0);
}
