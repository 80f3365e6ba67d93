#include "server/occasional_note.h"

#include <catch2/catch.hpp>

#include "captured_log.h"

using perigee::LogLevel;
using perigee::server::OccasionalNote;

TEST_CASE("occasional note: one a second, which tells how many were left out") {
  const CapturedLog log;
  OccasionalNote note;
  note.write(LogLevel::kInfo, "one", 5000);
  note.write(LogLevel::kInfo, "two", 5000);
  note.write(LogLevel::kInfo, "three", 5999);
  note.write(LogLevel::kWarn, "four", 6000);
  note.write(LogLevel::kInfo, "five", 7000);
  CHECK(log.text() == "info one\nwarn four (and 2 more like it before)\ninfo five\n");
}
