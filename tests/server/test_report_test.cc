#include "server/test_report.h"

#include <catch2/catch.hpp>

using perigee::server::TestReport;

TEST_CASE("test report: it has failed once a test has") {
  TestReport report;
  report.add("a_spec.lua", {"success", "one", "a_spec.lua:1", "", 0.5});
  report.add("a_spec.lua", {"pending", "two", "a_spec.lua:2", "", 0});
  CHECK_FALSE(report.failed());
  report.add("b_spec.lua", {"error", "three", "b_spec.lua:3", "", 0});
  CHECK(report.failed());
}

TEST_CASE("test report: JUnit's XML has a suite for each file and escapes what XML can't hold") {
  TestReport report;
  report.add("a_spec.lua", {"success", "one & <two>", "a_spec.lua:1", "", 0.5});
  report.add("a_spec.lua",
             {"failure", "b", "a_spec.lua:2", "first \"line\"\nsecond\x01\xff\xc3\xa4\xef\xbf\xbf", 0.25});
  report.add("b_spec.lua", {"pending", "c", "b_spec.lua:3", "later", 0});
  CHECK(
      report.junit(1.5) ==
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<testsuites tests=\"3\" failures=\"1\" errors=\"0\" skipped=\"1\" time=\"1.500000\">\n"
      "  <testsuite name=\"a_spec.lua\" tests=\"2\" failures=\"1\" errors=\"0\" skipped=\"0\" time=\"0.750000\">\n"
      "    <testcase classname=\"a_spec.lua\" name=\"one &amp; &lt;two&gt;\" time=\"0.500000\"/>\n"
      "    <testcase classname=\"a_spec.lua\" name=\"b\" time=\"0.250000\"><failure message=\"first &quot;line&quot;\">"
      "a_spec.lua:2&#10;first &quot;line&quot;&#10;second??\xc3\xa4?</failure></testcase>\n"
      "  </testsuite>\n"
      "  <testsuite name=\"b_spec.lua\" tests=\"1\" failures=\"0\" errors=\"0\" skipped=\"1\" time=\"0.000000\">\n"
      "    <testcase classname=\"b_spec.lua\" name=\"c\" time=\"0.000000\"><skipped message=\"later\"/></testcase>\n"
      "  </testsuite>\n"
      "</testsuites>\n");
}
