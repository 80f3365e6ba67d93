#include "profiler/top_table.h"

#include <catch2/catch.hpp>

#include "sample_profile.h"

using namespace perigee::profiler;

TEST_CASE("top table: who spends most itself comes first, with place and shares") {
  CHECK(write_top_table(sample_profile(), 1, 10) ==
        "40.0 ms of cpu in 1.00 s\n\n"
        "        self      % with callees      %  function\n"
        "     30.0 ms   75.0      30.0 ms   75.0  handler  app.lua:3\n"
        "     10.0 ms   25.0      10.0 ms   25.0  [garbage collection]\n");
}

TEST_CASE("top table: what does not fit is summed up") {
  const std::string table = write_top_table(sample_profile(), 1, 1);
  CHECK(table.find("garbage") == std::string::npos);
  CHECK(table.find("     10.0 ms   25.0                      1 more\n") != std::string::npos);
}

TEST_CASE("top table: a recursion counts once") {
  Profile profile(counts());
  const std::uint32_t f = profile.frame({"f", "a.lua", 1, 1, FrameKind::kLua});
  profile.add(std::vector<std::uint32_t>{f, f, f}, 0, std::vector<std::int64_t>{5});
  CHECK(write_top_table(profile, 0, 9).find("           5  100.0            5  100.0  f  a.lua:1\n") !=
        std::string::npos);
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
  CHECK(amount_text(512, "bytes") == "512 B");
  CHECK(amount_text(1536, "bytes") == "1.5 KiB");
  CHECK(amount_text(3 << 20, "bytes") == "3.0 MiB");
  CHECK(amount_text(7, "count") == "7");
}
