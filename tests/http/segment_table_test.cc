#include "http/segment_table.h"

#include <catch2/catch.hpp>
#include <string>

using perigee::http::SegmentTable;

TEST_CASE("segment table: nothing is found in an empty one") {
  const SegmentTable table;
  CHECK(table.find("") == SegmentTable::kAbsent);
  CHECK(table.find("a") == SegmentTable::kAbsent);
}

TEST_CASE("segment table: positions count up, and every segment keeps its own while the table grows") {
  SegmentTable table;
  CHECK(table.add("") == 0);
  for (int i = 1; i < 1000; ++i) {
    CHECK(table.add(std::string(static_cast<std::size_t>(i % 23), 'x') + std::to_string(i)) == i);
  }
  CHECK(table.find("") == 0);
  for (int i = 1; i < 1000; ++i) {
    CHECK(table.find(std::string(static_cast<std::size_t>(i % 23), 'x') + std::to_string(i)) == i);
  }
  CHECK(table.find("1000") == SegmentTable::kAbsent);
}

TEST_CASE("segment table: segments that differ only in the middle are told apart") {
  SegmentTable table;
  CHECK(table.add("beginning-a-and-ending") == 0);
  CHECK(table.add("beginning-b-and-ending") == 1);
  CHECK(table.find("beginning-b-and-ending") == 1);
  CHECK(table.find("beginning-c-and-ending") == SegmentTable::kAbsent);
}

TEST_CASE("segment table: a segment is told from one of 64 bytes more") {
  SegmentTable table;
  CHECK(table.add("abc") == 0);
  CHECK(table.find("abc" + std::string(64, 'c')) == SegmentTable::kAbsent);
  CHECK(table.add(std::string(64, 'd')) == 1);
  CHECK(table.find("") == SegmentTable::kAbsent);
  CHECK(table.find(std::string(64, 'd')) == 1);
}
