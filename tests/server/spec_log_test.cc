#include "server/spec_log.h"

#include <catch2/catch.hpp>
#include <thread>

using perigee::LogLevel;
using perigee::server::SpecLog;

TEST_CASE("spec log: each thread's events go to the page it collects on") {
  SpecLog log;
  SpecLog::Page own;
  SpecLog::Page other;
  SpecLog::collect(&own);
  std::thread([&] {
    SpecLog::collect(&other);
    log.write(LogLevel::kError, "there");
  }).join();
  log.write(LogLevel::kWarn, "here", "{\"a\":1}", "id");
  SpecLog::collect(nullptr);
  CHECK(own.take() == "  warn: here {\"a\":1}\n");
  CHECK(own.take().empty());
  CHECK(other.take() == "  error: there\n");
  CHECK_FALSE(log.enabled(LogLevel::kDebug));
}
