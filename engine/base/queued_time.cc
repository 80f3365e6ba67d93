#include "base/queued_time.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>

namespace perigee {
namespace {

// The beginning of a file that the kernel keeps for a thread; "" where there is none.
std::string read_of(int thread, const char* file) {
  char text[256];
  const std::string path = "/proc/self/task/" + std::to_string(thread) + "/" + file;
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return "";
  }
  const ssize_t size = ::read(fd, text, sizeof text);
  ::close(fd);
  return {text, static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
}

ThreadTimes scheduled(int thread) {
  ThreadTimes times;
  const std::string text = read_of(thread, "schedstat");
  const char* const end = text.data() + text.size();
  const auto [second, error] = std::from_chars(text.data(), end, times.ran);
  if (error == std::errc() && second != end) {
    std::from_chars(second + 1, end, times.queued);
  }
  return times;
}

}  // namespace

ThreadTimes thread_times(int thread) {
  ThreadTimes times = scheduled(thread);
  const std::string text = read_of(thread, "stat");  // "7 (name) R ...", and the name may hold anything
  const std::size_t name_end = text.rfind(')');
  times.ready = name_end != std::string::npos && std::string_view(text).substr(name_end).starts_with(") R");
  return times;
}

std::int64_t queued_ns(int thread) {
  return scheduled(thread).queued;
}

}  // namespace perigee
