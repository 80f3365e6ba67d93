#include "server/option_checks.h"

#include <catch2/catch.hpp>
#include <functional>

using namespace perigee::server;

namespace {

// "option item", a line for each fault.
std::string faults_of(const std::function<void(Options&)>& change) {
  Options options;
  change(options);
  std::string text;
  for (const OptionFault& fault : check_options(options)) {
    text += fault.option + " " + std::to_string(fault.item) + "\n";
    CHECK_FALSE(fault.message.empty());
  }
  return text;
}

}  // namespace

TEST_CASE("option checks: the defaults have no fault") {
  CHECK(check_options({}).empty());
}

TEST_CASE("option checks: each contradiction is found at the option where it is mended") {
  struct Case {
    std::function<void(Options&)> change;
    std::string expected;
  };
  const Case c = GENERATE(values<Case>({
      {[](Options& o) {
         o.listen = {"[::1]:0", ":0", "*:1", "localhost:1", "unix:/run/x"};
       },
       ""},
      {[](Options& o) {
         o.listen = {"127.0.0.1:1", "nowhere", "127.0.0.1:65536"};
       },
       "server.listen 1\nserver.listen 2\n"},
      {[](Options& o) {
         o.listen = {"127.0.0.1:1", "localhost:1"};
       },
       "server.listen 1\n"},
      {[](Options& o) {
         o.listen = {"unix:/a", "unix:/a"};
       },
       "server.listen 1\n"},
      {[](Options& o) {
         o.listen = {"127.0.0.1:0", "127.0.0.1:0"};
       },
       ""},
      {[](Options& o) { o.admin_listen = "off"; }, ""},
      {[](Options& o) { o.admin_listen = "on"; }, "admin.listen 0\n"},
      {[](Options& o) { o.admin_listen = "127.0.0.1:8080"; }, "admin.listen 0\n"},
      {[](Options& o) { o.admin_listen = "0.0.0.0:9145"; }, "admin.listen 0\n"},
      {[](Options& o) { o.admin_listen = "[2001:db8::1]:9145"; }, "admin.listen 0\n"},
      {[](Options& o) {
         o.admin_listen = "0.0.0.0:9145";
         o.admin_token = "hush";
       },
       ""},
      {[](Options& o) { o.admin_listen = "[::1]:9145"; }, ""},
      {[](Options& o) { o.admin_listen = "unix:/run/admin"; }, ""},
      {[](Options& o) {
         o.trusted_proxies = {"10.0.0.0/8", "::1", "unix", "192.0.2.7", "::ffff:10.0.0.0/104"};
       },
       ""},
      {[](Options& o) { o.trusted_proxies = {"10.0.0.0/33", "::1", "localhost", "10.0.0.1/8", "", "10.0.0.0/8"}; },
       "server.trusted_proxies 0\nserver.trusted_proxies 2\nserver.trusted_proxies 3\nserver.trusted_proxies 4\n"},
      {[](Options& o) { o.head = o.request_line; }, ""},
      {[](Options& o) { o.request_line = o.head + 1; }, "http.head 0\n"},
      {[](Options& o) { o.field_line = o.head + 1; }, "http.head 0\n"},
      {[](Options& o) { o.upload_folder = "/"; }, ""},
      {[](Options& o) { o.upload_folder = "/no such folder"; }, "http.upload_folder 0\n"},
      {[](Options& o) { o.upload_folder = "/dev/null"; }, "http.upload_folder 0\n"},
      {[](Options& o) { o.log_error = "off"; }, "log.error 0\n"},
      {[](Options& o) {
         o.access_skip = {"/a", "b", ""};
       },
       "log.access_skip 1\nlog.access_skip 2\n"},
  }));
  CHECK(faults_of(c.change) == c.expected);
}
