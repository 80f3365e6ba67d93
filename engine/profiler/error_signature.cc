#include "profiler/error_signature.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace perigee::profiler {
namespace {

constexpr std::size_t kLongWord = 16;  // a word with a digit and so many bytes is an id
constexpr std::size_t kUuid = 36;
constexpr int kUuidBegins = 8;  // its first group

// What a byte is. Bits, as a letter may be a hexadecimal digit besides.
enum Kind : std::uint8_t {
  kLetter = 1,    // A-Z a-z _
  kDigit = 2,     // 0-9
  kHex = 4,       // a-f A-F and digits
  kQuote = 8,     // ' " `
  kJoin = 16,     // what may join the numbers of an address, a date or a version: . : - / %
  kLineEnd = 32,  // the first line ends
};

constexpr std::array<std::uint8_t, 256> make_kinds() {
  std::array<std::uint8_t, 256> kinds{};
  for (unsigned byte = 0; byte < 256; ++byte) {
    const bool upper = byte >= 'A' && byte <= 'Z';
    const bool lower = byte >= 'a' && byte <= 'z';
    const bool hex = (byte >= 'A' && byte <= 'F') || (byte >= 'a' && byte <= 'f');
    if (upper || lower || byte == '_' || byte >= 128) {
      kinds[byte] = static_cast<std::uint8_t>(kLetter | (hex ? kHex : 0));
    } else if (byte >= '0' && byte <= '9') {
      kinds[byte] = kDigit | kHex;
    }
  }
  for (const char c : {'\'', '"', '`'}) {
    kinds[static_cast<unsigned char>(c)] = kQuote;
  }
  for (const char c : {'.', ':', '-', '/', '%'}) {
    kinds[static_cast<unsigned char>(c)] = kJoin;
  }
  kinds['\n'] = kinds['\r'] = kLineEnd;
  return kinds;
}

constexpr std::array<std::uint8_t, 256> kKinds = make_kinds();

std::uint8_t kind_of(char byte) {
  return kKinds[static_cast<unsigned char>(byte)];
}

constexpr std::uint8_t kWord = kLetter | kDigit;

// The end of the word that begins at `from`; `all` has the bits that every byte of it has, `any` those that one has.
const char* word_end(const char* from, const char* end, std::uint8_t& all, std::uint8_t& any) {
  all = 0xff;
  any = 0;
  for (; from < end && (kind_of(*from) & kWord) != 0; ++from) {
    all &= kind_of(*from);
    any |= kind_of(*from);
  }
  return from;
}

// Whether a UUID's text begins here (RFC 9562, section 4).
bool is_uuid(const char* at, const char* end) {
  if (end - at < static_cast<std::ptrdiff_t>(kUuid) || at[8] != '-' || at[13] != '-' || at[18] != '-' ||
      at[23] != '-') {
    return false;
  }
  for (std::size_t i = 0; i < kUuid; ++i) {
    if ((kind_of(at[i]) & kHex) == 0 && at[i] != '-') {
      return false;
    }
  }
  return true;
}

constexpr std::ptrdiff_t kWide = 16;  // bytes that are looked at together

#if defined(__SSE2__)
// How many of these sixteen bytes are the letters of a word, which copies all sixteen; 0 where the word does not end
// among them, or goes on with a digit.
int copy_letters(const char* from, char* to) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  const auto within = [](__m128i all, char least, char most) {
    return _mm_and_si128(_mm_cmpgt_epi8(all, _mm_set1_epi8(static_cast<char>(least - 1))),
                         _mm_cmplt_epi8(all, _mm_set1_epi8(static_cast<char>(most + 1))));
  };
  const __m128i ascii = within(_mm_or_si128(bytes, _mm_set1_epi8('a' - 'A')), 'a', 'z');
  const __m128i letters = _mm_or_si128(_mm_or_si128(ascii, bytes), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('_')));
  const int others = ~_mm_movemask_epi8(letters) & 0xffff;  // the highest bit is set of letters that are not ASCII
  const int size = std::countr_zero(static_cast<unsigned>(others));
  if (others == 0 || (from[size] >= '0' && from[size] <= '9')) {
    return 0;
  }
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), bytes);
  return size;
}
#else
int copy_letters(const char*, char*) {
  return 0;
}
#endif

// Writes the words and marks of one line.
class Stripper {
 public:
  Stripper(std::string_view line, char* out) : at_(line.data()), end_(at_ + line.size()), begin_(at_), out_(out) {}

  char* run() {
    while (at_ < end_) {
      const std::uint8_t kind = kind_of(*at_);
      if ((kind & kWord) != 0) {
        word();
      } else if (kind == kQuote) {
        quote();
      } else if (kind == kLineEnd) {
        break;
      } else {
        *out_++ = *at_++;
      }
    }
    return out_;
  }

 private:
  // A plain word stays; of one with a digit either the digits or, where it looks like an id, all of it becomes a mark.
  void word() {
    if (const int size = end_ - at_ >= kWide ? copy_letters(at_, out_) : 0; size != 0 && size != kUuidBegins) {
      out_ += size;
      at_ += size;
      return;
    }
    std::uint8_t all = 0;
    std::uint8_t any = 0;
    const char* const stop = word_end(at_, end_, all, any);
    const auto size = static_cast<std::size_t>(stop - at_);
    if (size == std::size_t{kUuidBegins} && (all & kHex) != 0 && is_uuid(at_, end_)) {
      at_ += kUuid;
      mark();
    } else if ((any & kDigit) == 0) {
      std::memcpy(out_, at_, size);
      out_ += size;
      at_ = stop;
    } else if ((all & kHex) != 0 || size >= kLongWord || (*at_ == '0' && size > 1 && (at_[1] | 32) == 'x')) {
      number(stop);
    } else {
      digits(stop);
    }
  }

  // A number or an id up to `stop`, with those that are joined to it.
  void number(const char* stop) {
    if (is_line_number()) {
      const auto size = static_cast<std::size_t>(stop - at_);
      std::memcpy(out_, at_, size);
      out_ += size;
      at_ = stop;
      return;
    }
    at_ = stop;
    mark();
  }

  // "app.lua:12"
  [[nodiscard]] bool is_line_number() const { return at_ - begin_ >= 5 && std::memcmp(at_ - 5, ".lua:", 5) == 0; }

  // "user7" becomes "user#".
  void digits(const char* stop) {
    while (at_ < stop) {
      if ((kind_of(*at_) & kDigit) == 0) {
        *out_++ = *at_++;
        continue;
      }
      while (at_ < stop && (kind_of(*at_) & kDigit) != 0) {
        ++at_;
      }
      *out_++ = '#';
    }
  }

  // "#" once for what is joined by one or two marks: an address, a date, a version.
  void mark() {
    *out_++ = '#';
    for (;;) {
      const char* next = at_;
      while (next < end_ && next - at_ < 2 && kind_of(*next) == kJoin) {
        ++next;
      }
      std::uint8_t all = 0;
      std::uint8_t any = 0;
      const char* const stop = next == at_ ? next : word_end(next, end_, all, any);
      if (stop == next || (any & kDigit) == 0 || (all & kHex) == 0) {
        return;
      }
      at_ = stop;
    }
  }

  // Quoted text, but not the apostrophe of "can't".
  void quote() {
    const char quote = *at_;
    const bool opens = at_ == begin_ || (kind_of(at_[-1]) & kWord) == 0;
    const char* const limit = end_;
    const void* closing = opens ? std::memchr(at_ + 1, quote, static_cast<std::size_t>(limit - at_ - 1)) : nullptr;
    *out_++ = quote;
    if (closing == nullptr) {
      ++at_;
      return;
    }
    *out_++ = '*';
    *out_++ = quote;
    at_ = static_cast<const char*>(closing) + 1;
  }

  const char* at_;
  const char* const end_;
  const char* const begin_;
  char* out_;
};

}  // namespace

void strip_error(std::string_view message, std::string& out) {
  // Of quoted text of no byte three are written for two.
  std::array<char, kMostSignature * 2> room;
  const std::string_view line = message.substr(0, kMostSignature);
  const char* const end = Stripper(line, room.data()).run();
  out.assign(room.data(), static_cast<std::size_t>(end - room.data()));
}

}  // namespace perigee::profiler
