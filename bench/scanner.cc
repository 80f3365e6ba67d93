// perigee::http::HeadScanner alone, on the bytes of one request again and again: the twin of parser.c.
// Usage: scanner FILE COUNT. Prints one JSON object; the instructions are counted from outside.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "http/head_scanner.h"

namespace {

using perigee::http::HeadLimits;
using perigee::http::HeadScanner;
using perigee::http::RequestHead;

std::string read_request(const char* path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// As the server does it: one scanner and one head for all requests of a connection.
unsigned long scan(const std::string& bytes, unsigned long count) {
  HeadScanner scanner;
  HeadLimits limits;
  RequestHead head;
  for (unsigned long i = 0; i < count; i++) {
    if (scanner.scan(bytes.data(), bytes.size(), limits, head) != HeadScanner::Verdict::kComplete) {
      std::fprintf(stderr, "scanner: %s\n", scanner.reason());
      return i;
    }
  }
  return count;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: scanner FILE COUNT\n");
    return 2;
  }
  const std::string bytes = read_request(argv[1]);
  const unsigned long count = std::strtoul(argv[2], nullptr, 10);
  const auto start = std::chrono::steady_clock::now();
  const unsigned long complete = scan(bytes, count);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  std::printf("{\"requests\": %lu, \"seconds\": %.9f}\n", complete, seconds.count());
  return complete == count ? 0 : 1;
}
