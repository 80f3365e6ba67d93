// PROXY headers: each verdict is final, the same for every portion of the bytes, and whatever comes behind them.

#include <string>

#include "fuzz_check.h"
#include "net/proxy_header.h"

using perigee::fuzz::check;
using perigee::net::parse_proxy_header;
using perigee::net::ProxyHeader;
using Verdict = ProxyHeader::Verdict;

namespace {

bool same(const ProxyHeader& one, const ProxyHeader& two) {
  return one.verdict == two.verdict && one.size == two.size && one.told == two.told && one.secure == two.secure &&
         one.client.same_host(two.client) && one.client.port == two.client.port;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const perigee::fuzz::ExactCopy copy(perigee::fuzz::text_of(data, size));
  const ProxyHeader whole = parse_proxy_header(copy.view());
  check(whole.verdict != Verdict::kIncomplete || size < ProxyHeader::kMostBinary, "a long header is decided");
  check(whole.verdict != Verdict::kComplete || (whole.size >= 15 && whole.size <= size), "it lies within its bytes");
  check((whole.verdict == Verdict::kMalformed) == !whole.reason.empty(), "only what is malformed has a reason");
  check(!whole.told || whole.client.family != AF_UNSPEC, "whoever is told has an address");
  for (std::size_t part = 0; part < size && part < 300; ++part) {
    const perigee::fuzz::ExactCopy prefix(copy.view().substr(0, part));
    const ProxyHeader early = parse_proxy_header(prefix.view());
    check(early.verdict == Verdict::kIncomplete || same(early, whole), "a verdict stays when more comes");
  }
  if (whole.verdict == Verdict::kComplete) {
    const std::string longer = std::string(copy.view().substr(0, whole.size)) + "GET / HTTP/1.1\r\n\r\n";
    check(same(parse_proxy_header(longer), whole), "what follows changes nothing");
  }
  return 0;
}
