#include "server/log_file.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <utility>

namespace perigee::server {
namespace {

constexpr Milliseconds kPollSliceMs = 50;  // the deadline may come forward meanwhile

Result<int> open_target(const std::string& target) {
  int fd = -1;
  if (target == "stdout" || target == "stderr") {
    fd = ::fcntl(target == "stdout" ? STDOUT_FILENO : STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
  } else {
    fd = ::open(target.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
  }
  return fd >= 0 ? Result<int>(fd) : fail("cannot open the log '" + target + "': " + std::strerror(errno));
}

bool is_regular(int fd) {
  struct stat status {};
  return ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

}  // namespace

Result<LogFile> LogFile::open(const std::string& target) {
  const int fd = TRY(open_target(target));
  return LogFile(target, fd);
}

LogFile::LogFile(std::string target, int fd) : target_(std::move(target)), fd_(fd), may_fill_(!is_regular(fd)) {}

LogFile::LogFile(LogFile&& other) noexcept
    : target_(std::move(other.target_)),
      fd_(std::exchange(other.fd_, -1)),
      may_fill_(other.may_fill_),
      torn_(other.torn_) {}

LogFile::~LogFile() {
  if (fd_ >= 0) {
    ::close(fd_);
  }
}

Result<> LogFile::reopen() {
  if (target_ != "stdout" && target_ != "stderr") {
    LogFile anew = TRY(open(target_));
    std::swap(fd_, anew.fd_);
    std::swap(may_fill_, anew.may_fill_);
    torn_ = false;
  }
  return {};
}

// 0 once something may be written, else an errno value.
int LogFile::await_room(const std::atomic<Milliseconds>& deadline) const {
  pollfd poller{fd_, POLLOUT, 0};
  for (;;) {
    const Milliseconds left = deadline.load(std::memory_order_relaxed) - monotonic_ms();
    const int ready = ::poll(&poller, 1, static_cast<int>(std::clamp<Milliseconds>(left, 0, kPollSliceMs)));
    if (ready > 0) {
      return 0;  // or an error, which write() will tell
    }
    if (ready < 0 && errno != EINTR) {
      return errno;
    }
    if (left <= 0) {
      return ETIMEDOUT;
    }
  }
}

// Takes from `rest` what was written; 0 once that is all, else an errno value.
int LogFile::write_all(std::string_view& rest, const std::atomic<Milliseconds>& deadline) const {
  while (!rest.empty()) {
    if (const int error = may_fill_ ? await_room(deadline) : 0; error != 0) {
      return error;
    }
    // A pipe with room for something has room for PIPE_BUF, so that this write does not block.
    const std::size_t size = may_fill_ ? std::min<std::size_t>(rest.size(), PIPE_BUF) : rest.size();
    const ssize_t written = ::write(fd_, rest.data(), size);
    if (written >= 0) {
      rest.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR && errno != EAGAIN) {
      return errno;
    }
  }
  return 0;
}

LogFile::Outcome LogFile::write(std::string_view lines, const std::atomic<Milliseconds>& deadline) {
  std::string_view rest = torn_ && !lines.empty() ? std::string_view("\n") : std::string_view();
  int error = write_all(rest, deadline);
  if (error == 0 && !lines.empty()) {
    rest = lines;
    error = write_all(rest, deadline);
    torn_ = !rest.empty() && rest.size() < lines.size() && *(rest.data() - 1) != '\n';
    lines = rest;
  }
  return {static_cast<std::uint64_t>(error == 0 ? 0 : std::count(lines.begin(), lines.end(), '\n')), error};
}

}  // namespace perigee::server
