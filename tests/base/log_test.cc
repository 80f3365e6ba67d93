#include "base/log.h"

#include <catch2/catch.hpp>
#include <new>
#include <vector>

using perigee::LogLevel;

namespace {

// Keeps events from a level on.
class Sink final : public perigee::LogSink {
 public:
  explicit Sink(LogLevel lowest) : lowest_(lowest) { perigee::set_log_sink(this); }
  ~Sink() override { perigee::set_log_sink(nullptr); }
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

  void write(LogLevel level, std::string_view message) override { write(level, message, "", ""); }
  void write(LogLevel, std::string_view message, std::string_view, std::string_view) override {
    if (starved) {
      throw std::bad_alloc();
    }
    messages.emplace_back(message);
  }
  [[nodiscard]] bool enabled(LogLevel level) const override { return level >= lowest_; }

  std::vector<std::string> messages;
  bool starved = false;

 private:
  LogLevel lowest_;
};

}  // namespace

TEST_CASE("log: events go to the sink that was set") {
  Sink sink(LogLevel::kDebug);
  CHECK(&perigee::log_sink() == &sink);
  perigee::log_event(LogLevel::kInfo, std::string_view("a\0b", 3));
  CHECK(sink.messages == std::vector<std::string>{std::string("a\0b", 3)});
}

TEST_CASE("log: an event that the sink does not want is not written") {
  Sink sink(LogLevel::kWarn);
  perigee::log_event(LogLevel::kDebug, "debug");
  perigee::log_event(LogLevel::kInfo, "info");
  perigee::log_event(LogLevel::kWarn, "warn");
  perigee::log_event(LogLevel::kError, "error");
  CHECK(sink.messages == std::vector<std::string>{"warn", "error"});
}

TEST_CASE("log: without a sink of its own it says all but debug to standard error") {
  { const Sink sink(LogLevel::kDebug); }
  CHECK_FALSE(perigee::log_sink().enabled(LogLevel::kDebug));
  CHECK(perigee::log_sink().enabled(LogLevel::kInfo));
  CHECK(perigee::log_sink().enabled(LogLevel::kError));
}

TEST_CASE("log: an event for which there is no memory is lost, and whoever told it goes on") {
  Sink sink(LogLevel::kDebug);
  sink.starved = true;
  perigee::log_event(LogLevel::kError, "out of memory");
  sink.starved = false;
  perigee::log_event(LogLevel::kError, "later");
  CHECK(sink.messages == std::vector<std::string>{"later"});
}
