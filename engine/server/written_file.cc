#include "server/written_file.h"

#include <cerrno>
#include <cstring>
#include <fstream>

namespace perigee::server {

Result<> write_file(const std::string& path, std::string_view text) {
  errno = 0;
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  if (!out) {
    return fail(path + " can't be written" + (errno != 0 ? std::string(": ") + std::strerror(errno) : ""));
  }
  return {};
}

}  // namespace perigee::server
