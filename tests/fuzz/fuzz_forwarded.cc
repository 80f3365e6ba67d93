// Forwarding headers: whatever a header says, the walk ends, hops are plain, and a line before changes none after it.

#include <string>
#include <vector>

#include "fuzz_check.h"
#include "http/forwarded.h"
#include "http/head_scanner.h"

using perigee::fuzz::check;
using perigee::http::ForwardedHops;
using perigee::http::HeadLimits;
using perigee::http::HeadScanner;
using perigee::http::RequestHead;

namespace {

std::vector<std::string> hops_of(const std::string& request) {
  std::vector<std::string> found;
  RequestHead head;
  HeadScanner scanner;
  if (scanner.scan(request.data(), request.size(), HeadLimits(), head) != HeadScanner::Verdict::kComplete) {
    return found;
  }
  ForwardedHops hops(head);
  while (const auto hop = hops.next()) {
    check(hop->proto.empty() || hop->proto == "http" || hop->proto == "https", "a scheme is one of ours");
    check(hop->node.find_first_not_of("0123456789abcdefABCDEF:.") == std::string::npos, "a node looks like an address");
    check(found.size() < request.size(), "there are fewer hops than bytes");
    found.push_back(hop->node + " " + hop->proto);
  }
  check(perigee::http::given_request_id(head).size() <= perigee::http::kMostRequestId, "an id is bounded");
  return found;
}

std::string request_of(const std::string& name, const std::string& first, std::string_view second) {
  std::string request = "GET / HTTP/1.1\r\nHost: a\r\nX-Request-Id: ";
  request.append(second).append("\r\n").append(first);
  return request.append(name).append(": ").append(second).append("\r\n\r\n");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const perigee::fuzz::ExactCopy copy(perigee::fuzz::text_of(data, size));
  if (const auto hop = perigee::http::parse_forwarded_element(copy.view())) {
    check(hop->node.size() <= size, "a node is no longer than its element");
  }
  for (const std::string name : {"Forwarded", "X-Forwarded-For"}) {
    const auto alone = hops_of(request_of(name, "", copy.view()));
    const auto after = hops_of(request_of(name, name + ": 6.6.6.6\r\n" + name + ": for=6.6.6.6\r\n", copy.view()));
    check(after.size() >= alone.size(), "lines before add hops");
    check(std::equal(alone.begin(), alone.end(), after.begin()), "lines before change no hop");
  }
  return 0;
}
