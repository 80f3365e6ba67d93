// Range, Accept-Encoding and dates: whatever they say, ranges lie in the file, none twice, and wishes are in bounds.

#include <ctime>

#include "fuzz_check.h"
#include "http/byte_ranges.h"
#include "http/content_coding.h"
#include "http/http_date.h"

using perigee::fuzz::check;
using perigee::http::ByteRange;
using perigee::http::ByteRanges;

namespace {

bool apart(const ByteRange& a, const ByteRange& b) {
  return a.first + a.size <= b.first || b.first + b.size <= a.first;
}

void check_ranges(std::string_view text, std::uint64_t size) {
  const ByteRanges set = perigee::http::parse_byte_ranges(text, size);
  check((set.count != 0) == (set.verdict == ByteRanges::Verdict::kSatisfiable),
        "only what can be satisfied has ranges");
  check(set.count <= ByteRanges::kMost, "there are no more than sixteen");
  for (const ByteRange& range : set) {
    check(range.size > 0 && range.first < size && range.size <= size - range.first, "a range lies in the file");
    for (const ByteRange& other : set) {
      check(&range == &other || apart(range, other), "no byte is sent twice");
    }
  }
}

void check_wish(std::int32_t wish) {
  check(wish >= 0 && wish <= 1000, "a weight is from 0 to 1");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::time_t kNow = 1'700'000'000;
  const perigee::fuzz::ExactCopy copy(perigee::fuzz::text_of(data, size));
  for (const std::uint64_t length : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{100}, std::uint64_t{1} << 40}) {
    check_ranges(copy.view(), length);
  }
  const auto wishes = perigee::http::parse_accept_encoding(copy.view());
  check_wish(wishes.brotli);
  check_wish(wishes.gzip);
  check_wish(wishes.identity);
  (void)perigee::http::parse_http_date(copy.view(), kNow);
  return 0;
}
