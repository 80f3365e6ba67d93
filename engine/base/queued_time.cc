#include "base/queued_time.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <string>

namespace perigee {

// The second number of the thread's schedstat.
std::int64_t queued_ns(int thread) {
  char text[128];
  const std::string path = "/proc/self/task/" + std::to_string(thread) + "/schedstat";
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return 0;
  }
  const ssize_t size = ::read(fd, text, sizeof text);
  ::close(fd);
  const char* const end = text + std::max<ssize_t>(size, 0);
  const char* const second = std::find(static_cast<const char*>(text), end, ' ');
  std::int64_t waited = 0;
  if (second != end) {
    std::from_chars(second + 1, end, waited);
  }
  return waited;
}

}  // namespace perigee
