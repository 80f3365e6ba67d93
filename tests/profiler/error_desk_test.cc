#include "profiler/error_desk.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <thread>
#include <vector>

using perigee::profiler::ErrorDesk;
using perigee::profiler::ErrorKind;

TEST_CASE("error desk: equal errors are counted together, with routes and hosts") {
  ErrorDesk desk;
  desk.note(
      {"app.lua:3: no user 7\nstack traceback:\n\tapp.lua:3: in function 'f'", "GET /users/{id}", "", "GET /users/7"});
  desk.note({"app.lua:3: no user 8", "GET /users/{id}", "", "GET /users/8"});
  desk.note({"app.lua:3: no user 9", "POST /users", "", ""});
  desk.note_failure("db.internal", "timeout");
  const auto kinds = desk.kinds();
  REQUIRE(kinds.size() == 2);
  const ErrorKind& kind = kinds[0];
  CHECK(kind.signature == "app.lua:3: no user #");
  CHECK(kind.message == "app.lua:3: no user 7");
  CHECK(kind.count == 3);
  CHECK(kind.first_seen > 1.6e9);
  CHECK(kind.last_seen >= kind.first_seen);
  REQUIRE(kind.routes.size() == 2);
  CHECK((kind.routes[0].name == "GET /users/{id}" && kind.routes[0].count == 2));
  CHECK((kind.routes[1].name == "POST /users" && kind.routes[1].count == 1));
  CHECK(kind.hosts.empty());
  CHECK(kind.traceback == "stack traceback:\n\tapp.lua:3: in function 'f'");
  CHECK(kind.sample == "GET /users/7");
  CHECK(kinds[1].signature == "timeout");
  REQUIRE(kinds[1].hosts.size() == 1);
  CHECK(kinds[1].hosts[0].name == "db.internal");
  CHECK(desk.totals().errors == 4);
}

TEST_CASE("error desk: traceback and sample are those of the first error that has any") {
  ErrorDesk desk;
  desk.note({"x", "", "", ""});
  desk.note({"x\nstack traceback:\n\tone", "", "", "GET /one"});
  desk.note({"x\nstack traceback:\n\ttwo", "", "", "GET /two"});
  CHECK(desk.kinds()[0].traceback == "stack traceback:\n\tone");
  CHECK(desk.kinds()[0].sample == "GET /one");
}

TEST_CASE("error desk: what is ignored is counted, and nothing else") {
  ErrorDesk desk;
  desk.apply({{"refused", "client*gone"}, 500});
  desk.note({"refused by 10.0.0.1", "", "", ""});
  desk.note({"the client has gone", "", "", ""});
  desk.note({"oops", "", "", ""});
  CHECK(desk.totals().ignored == 2);
  CHECK(desk.totals().errors == 1);
  desk.apply({});
  desk.note({"refused by 10.0.0.1", "", "", ""});
  CHECK(desk.totals().errors == 2);
}

TEST_CASE("error desk: the kinds that were not seen for longest are forgotten, and counted") {
  ErrorDesk desk;
  desk.apply({{}, 80});
  const auto text_of = [](int i) {
    std::string text = "kind ";
    for (; i > 0; i /= 26) {
      text += static_cast<char>('a' + i % 26);
    }
    return text;
  };
  for (int i = 1; i <= 10'000; ++i) {
    desk.note({text_of(i), "", "", ""});
    desk.note({"always", "", "", ""});
  }
  const ErrorDesk::Totals totals = desk.totals();
  CHECK(totals.errors == 20'000);
  CHECK(totals.kinds <= 80);
  CHECK(totals.kinds + totals.forgotten_kinds == 10'001);
  CHECK(desk.kinds().size() == totals.kinds);
  CHECK((desk.kinds()[0].signature == "always" && desk.kinds()[0].count == 10'000));
}

TEST_CASE("error desk: an error's routes, hosts, message and traceback are bounded") {
  ErrorDesk desk;
  const std::string text = std::string(100'000, 'x') + "\nstack traceback:" + std::string(100'000, 'y');
  for (int i = 0; i < 1000; ++i) {
    const std::string name = "host" + std::to_string(i);
    desk.note({text, name, name, std::string(100'000, 'z')});
  }
  const ErrorKind kind = desk.kinds().at(0);
  CHECK(kind.count == 1000);
  CHECK(kind.message.size() == ErrorDesk::kMostMessage);
  CHECK(kind.traceback.size() == ErrorDesk::kMostTraceback);
  CHECK(kind.sample.size() == ErrorDesk::kMostSample);
  CHECK(kind.hosts.size() == ErrorDesk::kMostPlaces + 1);
  CHECK((kind.hosts[0].name == "(others)" && kind.hosts[0].count == 900));
}

TEST_CASE("error desk: threads report at once, and none is lost") {
  ErrorDesk desk;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&desk, t] {
      for (int i = 0; i < 2000; ++i) {
        desk.note({"shared " + std::to_string(i), "GET /", "", "GET /"});
        desk.note({std::string("own ") + static_cast<char>('a' + t), "", "host", ""});
        if (i % 500 == 0) {
          desk.apply({{"never matches"}, 100});
          (void)desk.kinds();
        }
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  CHECK(desk.totals().errors == 16'000);
  CHECK((desk.kinds()[0].signature == "shared #" && desk.kinds()[0].count == 8000));
}

TEST_CASE("error desk: a host's name does not tell failed calls apart") {
  ErrorDesk desk;
  desk.note_failure("one.example:443", "dns: no such name: one.example");
  desk.note_failure("two.example:443", "dns: no such name: two.example");
  desk.note_failure("[::1]:80", "refused: [::1]:80");
  desk.note_failure("unix:/run/x.sock", "refused: unix:/run/x.sock");
  desk.note_failure("", "timeout");
  std::vector<std::string> signatures;
  for (const ErrorKind& kind : desk.kinds()) {
    signatures.push_back(kind.signature);
  }
  std::sort(signatures.begin(), signatures.end());
  CHECK(signatures == std::vector<std::string>{"dns: no such name: *", "refused: *", "refused: *:#", "timeout"});
  CHECK(desk.kinds()[0].hosts.size() == 2);
  CHECK(desk.kinds()[0].message == "dns: no such name: one.example");
}
