#include "profiler/top_table.h"

#include <catch2/catch.hpp>

#include "sample_profile.h"

using namespace perigee::profiler;

TEST_CASE("top table: who spends most itself comes first, with place and shares") {
  CHECK(write_top_table(sample_profile(), 1, 10) ==
        "40.0 ms of cpu in 1.00 s\n\n"
        "        self      % with callees      %  function\n"
        "     30.0 ms   75.0      30.0 ms   75.0  handler  app.lua:3\n"
        "         0 s    0.0      10.0 ms   25.0  handler  app.lua:4\n"
        "     10.0 ms   25.0      10.0 ms   25.0  [garbage collection]\n");
}

TEST_CASE("top table: what does not fit is summed up") {
  const std::string table = write_top_table(sample_profile(), 1, 1);
  CHECK(table.find("garbage") == std::string::npos);
  CHECK(table.find("     10.0 ms   25.0                      2 more\n") != std::string::npos);
}

TEST_CASE("top table: a recursion counts once") {
  Profile profile(counts());
  const std::uint32_t f = profile.frame({"f", "a.lua", 1, 1, FrameKind::kLua});
  profile.add(std::vector<std::uint32_t>{f, f, f}, 0, std::vector<std::int64_t>{5});
  CHECK(write_top_table(profile, 0, 9).find("           5  100.0            5  100.0  f  a.lua:1\n") !=
        std::string::npos);
}

TEST_CASE("top table: a line comes before the native functions that it spends its time in, each of them once") {
  Profile profile(counts());
  const std::uint32_t line = profile.frame({"search", "app.lua", 7, 5, FrameKind::kLua});
  const std::uint32_t loop = profile.frame({"search", "app.lua", 6, 5, FrameKind::kLua});
  const std::uint32_t call = profile.frame({"[native function]", "", 0, 0, FrameKind::kState});
  const std::uint32_t copy = profile.frame({"memmove", "move.S", 20, 1, FrameKind::kNative});
  const std::uint32_t more = profile.frame({"memmove", "move.S", 24, 1, FrameKind::kNative});
  const std::uint32_t entry = profile.frame({"Worker::serve", "worker.cc", 3, 1, FrameKind::kNative});
  profile.add(std::vector<std::uint32_t>{call, line, entry}, 0, std::vector<std::int64_t>{6});
  profile.add(std::vector<std::uint32_t>{copy, call, line, entry}, 0, std::vector<std::int64_t>{1});
  profile.add(std::vector<std::uint32_t>{more, call, line, entry}, 0, std::vector<std::int64_t>{1});
  profile.add(std::vector<std::uint32_t>{loop, entry}, 0, std::vector<std::int64_t>{2});
  const std::string table = write_top_table(profile, 0, 9);
  CHECK(table.substr(table.find("function\n") + 9) ==
        "           0    0.0            8   80.0  search  app.lua:7\n"
        "           6   60.0            8   80.0  [native function]\n"
        "           2   20.0            2   20.0  search  app.lua:6\n"
        "           2   20.0            2   20.0  memmove  move.S\n");
}

TEST_CASE("top table: a wait has a row of its own, with its line") {
  Profile profile(counts());
  const std::uint32_t line = profile.frame({"handler", "app.lua", 7, 5, FrameKind::kLua});
  const std::uint32_t wait = profile.frame({"[perigee.sleep]", "app.lua", 7, 5, FrameKind::kWait});
  profile.add(std::vector<std::uint32_t>{wait, line}, 0, std::vector<std::int64_t>{6});
  const std::string table = write_top_table(profile, 0, 9);
  CHECK(table.substr(table.find("function\n") + 9) ==
        "           6  100.0            6  100.0  [perigee.sleep]  app.lua:7\n");
}

TEST_CASE("top table: an empty profile says so, comments are told, controls are not printed") {
  Profile profile(counts());
  profile.comments = {"3 samples were lost\x1b[2J"};
  CHECK(write_top_table(profile, 0, 9) == "nothing was recorded: was the server idle?\n3 samples were lost?[2J\n");
}

TEST_CASE("top table: amounts have units") {
  CHECK(amount_text(1'500'000'000, "nanoseconds") == "1.50 s");
  CHECK(amount_text(12'000'000, "nanoseconds") == "12.0 ms");
  CHECK(amount_text(1'500, "nanoseconds") == "1.5 us");
  CHECK(amount_text(0, "nanoseconds") == "0 s");
  CHECK(amount_text(512, "bytes") == "512 B");
  CHECK(amount_text(1536, "bytes") == "1.5 KiB");
  CHECK(amount_text(3 << 20, "bytes") == "3.0 MiB");
  CHECK(amount_text(7, "count") == "7");
}
