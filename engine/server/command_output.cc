#include "server/command_output.h"

#include <cstdio>

#include "server/written_file.h"

namespace perigee::server {

void print_mistake(const std::string& text) {
  std::fprintf(stderr, "perigee: %s\n", text.c_str());
}

bool write_output(const std::string& path, std::string_view text) {
  const auto written = write_file(path, text);
  if (!written) {
    print_mistake(written.error().message);
  }
  return written.has_value();
}

}  // namespace perigee::server
