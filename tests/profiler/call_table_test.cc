#include "profiler/call_table.h"

#include <catch2/catch.hpp>

using namespace perigee::profiler;

TEST_CASE("call table: counts of several VMs add up, most seconds first, and what was never called is told") {
  CallTable table;
  table.read_counts("@a.lua\t3\thandler\t2000000000\t1234567\t4\n=[C]\t0\tgsub\t500000000\t10\t9\n");
  table.read_counts("@a.lua\t3\thandler\t1000000000\t0\t2\nno such line\n");
  table.read_functions("@a.lua\t3\n@a.lua\t9\n@a.lua\t9\n@a.lua\t0\n");
  const std::string text = table.text(10);
  CHECK(text.find("  seconds |      gc |         consed |       calls |  sec/call | name\n") == 0);
  CHECK(text.find("    3.000 |   0.000 |      1,234,567 |           6 |  0.500000 | handler  a.lua:3\n") !=
        std::string::npos);
  CHECK(text.find("handler") < text.find("gsub"));
  CHECK(text.find("    3.500 |   0.000 |      1,234,577 |          15 |           | total\n") != std::string::npos);
  CHECK(text.find("\nThese functions were never called:\n a.lua:9  a.lua:9\n") != std::string::npos);
}

TEST_CASE("call table: the collector's time is that of the function below it") {
  CallTable table;
  table.read_counts("@a.lua\t3\thandler\t2000000000\t0\t4\n");
  Profile profile(std::vector<ValueType>{{"samples", "count"}, {"cpu", "nanoseconds"}});
  const std::uint32_t stack[] = {profile.frame({"[garbage collection]", "", 0, 0, FrameKind::kState}),
                                 profile.frame({"handler", "a.lua", 4, 3, FrameKind::kLua})};
  const std::int64_t values[] = {1, 500'000'000};
  profile.add(stack, profile.labels({}), values);
  table.take_collections(profile);
  CHECK(table.text(10).find("    1.500 |   0.500 |") != std::string::npos);
}

TEST_CASE("call table: with everything called there is nothing to tell, and rows are bounded") {
  CallTable table;
  table.read_counts("@a.lua\t3\tone\t20\t0\t4\n@a.lua\t5\ttwo\t10\t0\t4\n");
  table.read_functions("@a.lua\t3\n");
  const std::string text = table.text(1);
  CHECK(text.find("one") != std::string::npos);
  CHECK(text.find("two") == std::string::npos);
  CHECK(text.find("Every function of the app was called.") != std::string::npos);
}
