#include "server/request_ids.h"

#include <sys/random.h>

#include <array>

namespace perigee::server {
namespace {

std::uint32_t random_start() {
  std::uint32_t value = 0;
  if (getrandom(&value, sizeof value, 0) != sizeof value) {
    value = 0x50657269;
  }
  return value;
}

constexpr std::size_t kStartDigits = 8;
constexpr std::size_t kWorkerDigits = 2;
constexpr std::size_t kRequestDigits = 10;

// Writes the last `digits` hexadecimal digits of a number; returns what follows them.
char* write_hex(char* at, std::uint64_t number, std::size_t digits) {
  for (std::size_t i = digits; i > 0; --i, number >>= 4) {
    at[i - 1] = "0123456789abcdef"[number & 15];
  }
  return at + digits;
}

}  // namespace

std::string request_id_text(int worker, double request) {
  static const std::uint32_t start = random_start();
  std::array<char, kStartDigits + kWorkerDigits + kRequestDigits> text;
  char* at = write_hex(text.data(), start, kStartDigits);
  at = write_hex(at, static_cast<unsigned>(worker), kWorkerDigits);
  write_hex(at, static_cast<std::uint64_t>(request), kRequestDigits);
  return {text.data(), text.size()};
}

}  // namespace perigee::server
