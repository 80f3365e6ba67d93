#include "client/host_stats.h"

#include <catch2/catch.hpp>

using perigee::client::HostTable;

TEST_CASE("host stats: a connection counts as open while its mark lives") {
  HostTable table;
  auto& stats = table.of("a:80");
  {
    const auto mark = HostTable::mark_open(stats);
    const auto copy = mark;
    CHECK(table.of("a:80").open == 1);
  }
  CHECK(stats.open == 0);
}

TEST_CASE("host stats: beyond the most hosts the rest is counted together") {
  HostTable table;
  for (std::size_t i = 0; i < HostTable::kMost + 10; ++i) {
    ++table.of(std::to_string(i)).requests;
  }
  CHECK(table.all().size() == HostTable::kMost + 1);
  CHECK(table.of("others").requests == 10);
  CHECK(table.of("5").requests == 1);
}
