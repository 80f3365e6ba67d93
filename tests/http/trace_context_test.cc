#include "http/trace_context.h"

#include <catch2/catch.hpp>
#include <string>

#include "http/head_scanner.h"

using namespace perigee::http;

namespace {

const std::string kTrace = "4bf92f3577b34da6a3ce929d0e0e4736";
const std::string kParent = "00f067aa0ba902b7";

// The trace of a request with these header lines; "" of none.
std::string trace_of(const std::string& lines) {
  const std::string text = "GET / HTTP/1.1\r\nHost: x\r\n" + lines + "\r\n";
  RequestHead head;
  HeadScanner scanner;
  REQUIRE(scanner.scan(text.data(), text.size(), HeadLimits(), head) == HeadScanner::Verdict::kComplete);
  const auto context = trace_context(head);
  return context ? std::string(context->trace_id) : "";
}

}  // namespace

TEST_CASE("trace context: a traceparent has a trace, a parent and flags") {
  const std::string value = "00-" + kTrace + "-" + kParent + "-01";
  const auto context = parse_traceparent(value);
  REQUIRE(context);
  CHECK(context->trace_id == kTrace);
  CHECK(context->parent_id == kParent);
  CHECK(context->flags == "01");
}

TEST_CASE("trace context: a later version may say more behind it, version 00 may not") {
  CHECK(parse_traceparent("01-" + kTrace + "-" + kParent + "-01"));
  CHECK(parse_traceparent("cc-" + kTrace + "-" + kParent + "-01-what-comes"));
  CHECK_FALSE(parse_traceparent("cc-" + kTrace + "-" + kParent + "-01x"));
  CHECK_FALSE(parse_traceparent("00-" + kTrace + "-" + kParent + "-01-"));
}

TEST_CASE("trace context: what is none is none") {
  for (const std::string& value :
       {std::string(), std::string("00"), "00-" + kTrace + "-" + kParent, "ff-" + kTrace + "-" + kParent + "-01",
        "0G-" + kTrace + "-" + kParent + "-01", "00-" + std::string(32, '0') + "-" + kParent + "-01",
        "00-" + kTrace + "-" + std::string(16, '0') + "-01", "00-" + kTrace + "-" + kParent + "-0x",
        "00_" + kTrace + "-" + kParent + "-01", "00-" + kTrace + "_" + kParent + "-01",
        "00-" + kTrace + "-" + kParent + "_01", "00-4BF92F3577B34DA6A3CE929D0E0E4736-" + kParent + "-01",
        "00-" + kTrace.substr(1) + "g-" + kParent + "-01"}) {
    CHECK_FALSE(parse_traceparent(value));
  }
}

TEST_CASE("trace context: a request that names two traces belongs to none") {
  const std::string line = "Traceparent: 00-" + kTrace + "-" + kParent + "-01\r\n";
  CHECK(trace_of(line) == kTrace);
  CHECK(trace_of("").empty());
  CHECK(trace_of("traceparent: 00-x\r\n").empty());
  CHECK(trace_of(line + line).empty());
}

TEST_CASE("trace context: what is asked of others names the trace, a span of its own and whether it is recorded") {
  for (const auto& [flags, sent] : {std::pair{"00", "00"}, {"01", "01"}, {"02", "00"}, {"0b", "01"}, {"ff", "01"}}) {
    const std::string value = "00-" + kTrace + "-" + kParent + "-" + flags;
    const auto context = parse_traceparent(value);
    REQUIRE(context);
    CHECK(traceparent(*context, "1234567890abcdef") == "00-" + kTrace + "-1234567890abcdef-" + sent);
  }
}
