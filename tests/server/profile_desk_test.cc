#include "server/profile_desk.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <future>
#include <string>
#include <vector>

using namespace perigee::server;
using perigee::profiler::Recorder;

namespace {

std::string answer(ProfileDesk& desk, const std::string& request) {
  std::promise<std::string> promise;
  static std::uint64_t number = 1000;
  desk.record(++number, request, [&](std::string text) { promise.set_value(std::move(text)); });
  return promise.get_future().get();
}

}  // namespace

TEST_CASE("profile desk: a request says kind, form, seconds and hertz") {
  const auto request = read_profile_request("cpu folded 2.5 100");
  REQUIRE(request);
  CHECK(request->kind == perigee::profiler::ProfileKind::kCpu);
  CHECK(request->form == ProfileRequest::Form::kFolded);
  CHECK(request->seconds == 2.5);
  CHECK(request->hertz == 100);
}

TEST_CASE("profile desk: what is absurd is refused by name") {
  const std::vector<std::pair<std::string, std::string>> cases = {{"", "by kind"},
                                                                  {"cpu pprof 1", "by kind"},
                                                                  {"cpu pprof 1 99 1", "by kind"},
                                                                  {"gpu pprof 1 99", "no profile of gpu"},
                                                                  {"cpu svg 1 99", "no form svg"},
                                                                  {"cpu pprof 0 99", "at most 600"},
                                                                  {"cpu pprof -1 99", "at most 600"},
                                                                  {"cpu pprof 601 99", "at most 600"},
                                                                  {"cpu pprof nan 99", "at most 600"},
                                                                  {"cpu pprof inf 99", "at most 600"},
                                                                  {"cpu pprof 1x 99", "at most 600"},
                                                                  {"cpu pprof 1 0", "1 to 1000"},
                                                                  {"cpu pprof 1 1001", "1 to 1000"},
                                                                  {"cpu pprof 1 9.5", "1 to 1000"},
                                                                  {"cpu pprof 1 99999999999999999999", "1 to 1000"}};
  for (const auto& [text, expected] : cases) {
    const auto request = read_profile_request(text);
    INFO(text);
    REQUIRE(!request);
    CHECK(request.error().message.find(expected) != std::string::npos);
  }
}

TEST_CASE("profile desk: a recording comes back in the form asked for") {
  Recorder cpu([](std::int32_t) { return std::string(); });
  ProfileDesk desk(cpu);
  CHECK(answer(desk, "cpu pprof 0.01 99").substr(0, 2) == "\x1f\x8b");
  CHECK(answer(desk, "cpu folded 0.01 99").empty());
  CHECK(answer(desk, "cpu flame 0.01 99").find("\"type\":\"cpu\"") != std::string::npos);
  CHECK(answer(desk, "alloc flame 0.01 99").find("\"type\":\"alloc_space\"") != std::string::npos);
  CHECK(answer(desk, "wait top 0.01 99").find("nothing was recorded") != std::string::npos);
  CHECK(answer(desk, "block pprof 0.01 99").substr(0, 2) == "\x1f\x8b");
  CHECK(answer(desk, "cpu flame 0 99").substr(0, 1) == "!");
}

TEST_CASE("profile desk: only so many recordings run at once") {
  Recorder cpu([](std::int32_t) { return std::string(); });
  ProfileDesk desk(cpu);
  for (std::uint64_t number = 0; number < ProfileDesk::kMostAtOnce; ++number) {
    desk.record(number, "cpu folded 600 99", [](const std::string&) {});
  }
  CHECK(answer(desk, "cpu folded 1 99").find("!too many recordings") == 0);
}

TEST_CASE("profile desk: a recording that is forgotten makes room, and is not told of") {
  std::atomic<bool> told{false};
  Recorder cpu([](std::int32_t) { return std::string(); });
  ProfileDesk desk(cpu);
  for (std::uint64_t number = 0; number < ProfileDesk::kMostAtOnce; ++number) {
    desk.record(number, "cpu folded 0.05 99", [&told, number](const std::string&) {
      if (number == 3) {
        told = true;
      }
    });
  }
  desk.forget(3);
  desk.forget(3);
  desk.forget(999);
  CHECK(answer(desk, "cpu folded 0.1 99").empty());
  CHECK_FALSE(told);
}
