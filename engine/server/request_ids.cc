#include "server/request_ids.h"

#include <sys/random.h>

#include <cstdio>

namespace perigee::server {
namespace {

std::uint32_t random_start() {
  std::uint32_t value = 0;
  if (getrandom(&value, sizeof value, 0) != sizeof value) {
    value = 0x50657269;
  }
  return value;
}

}  // namespace

std::string request_id_text(int worker, double request) {
  static const std::uint32_t start = random_start();
  char text[32];
  const int size = std::snprintf(text, sizeof text, "%08x%02x%010llx", start, static_cast<unsigned>(worker) & 0xff,
                                 static_cast<unsigned long long>(request));
  return {text, static_cast<std::size_t>(size)};
}

}  // namespace perigee::server
