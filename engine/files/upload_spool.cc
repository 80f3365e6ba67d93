#include "files/upload_spool.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

namespace perigee::files {
namespace {

constexpr std::size_t kCopyStep = 64 * 1024;

// 0, or errno.
int write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

// A file without a name. Its mode is what the umask leaves, since it may get a name; till then nobody can open it.
int open_unnamed(const std::string& folder, bool& linkable) {
  const int fd = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);
  linkable = fd >= 0;
  if (linkable || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)) {
    return fd;
  }
  std::string name = folder + "/perigee-XXXXXX";  // the file system has no unnamed files
  const int named = ::mkostemp(name.data(), O_CLOEXEC);
  if (named >= 0) {
    ::unlink(name.c_str());
  }
  return named;
}

// A name beside `path` that nobody has.
std::string beside(const std::string& path) {
  std::uint64_t number = 0;
  if (::getrandom(&number, sizeof number, 0) != sizeof number) {
    number = static_cast<std::uint64_t>(::getpid());
  }
  char suffix[32];
  std::snprintf(suffix, sizeof suffix, ".%016llx.part", static_cast<unsigned long long>(number));
  return path + suffix;
}

std::string why(int error, const std::string& path) {
  const char* word = "refused: ";
  if (error == EEXIST) {
    word = "exists: ";
  } else if (error == ENOENT || error == ENOTDIR) {
    word = "not found: ";
  } else if (error == ENOSPC || error == EDQUOT || error == EFBIG) {
    word = "full: ";
  }
  return word + path + ": " + std::strerror(error);
}

}  // namespace

UploadSpool::~UploadSpool() {
  if (file_ >= 0) {
    ::close(file_);
  }
}

UploadSpool::UploadSpool(UploadSpool&& other) noexcept
    : folder_(std::move(other.folder_)),
      memory_(other.memory_),
      bytes_(std::move(other.bytes_)),
      size_(other.size_),
      file_(std::exchange(other.file_, -1)),
      linkable_(other.linkable_) {}

int UploadSpool::append(std::string_view bytes) {
  if (would_begin_file(bytes.size())) {
    if (const int error = begin_file(); error != 0) {
      return error;
    }
  }
  if (!on_disk()) {
    bytes_.append(bytes);
  } else if (const int error = write_all(file_, bytes); error != 0) {
    return error;
  }
  size_ += bytes.size();
  return 0;
}

int UploadSpool::begin_file() {
  file_ = open_unnamed(folder_, linkable_);
  if (file_ < 0) {
    return errno;
  }
  const int error = write_all(file_, bytes_);
  std::string().swap(bytes_);
  return error;
}

Result<std::size_t> UploadSpool::read(std::uint64_t offset, char* to, std::size_t size) const {
  if (offset >= size_) {
    return std::size_t{0};
  }
  const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(size, size_ - offset));
  if (!on_disk()) {
    std::memcpy(to, bytes_.data() + offset, wanted);
    return wanted;
  }
  std::size_t done = 0;
  while (done < wanted) {
    const ssize_t count = ::pread(file_, to + done, wanted - done, static_cast<off_t>(offset + done));
    if (count > 0) {
      done += static_cast<std::size_t>(count);
    } else if (count == 0 || errno != EINTR) {
      return fail("refused: an upload can't be read back: " + std::string(std::strerror(count == 0 ? EIO : errno)));
    }
  }
  return done;
}

Result<> UploadSpool::move_to(const std::string& path, bool overwrite) const {
  const std::string target = overwrite ? beside(path) : path;
  int error = place(target);
  if (error == 0 && overwrite && ::rename(target.c_str(), path.c_str()) != 0) {
    error = errno;
    ::unlink(target.c_str());
  }
  return error == 0 ? Result<>() : fail(why(error, path));
}

// Makes a new file at `path`. 0, or errno.
int UploadSpool::place(const std::string& path) const {
  if (linkable_) {
    const std::string self = "/proc/self/fd/" + std::to_string(file_);
    if (::linkat(AT_FDCWD, self.c_str(), AT_FDCWD, path.c_str(), AT_SYMLINK_FOLLOW) == 0) {
      return 0;
    }
    if (errno == EEXIST) {
      return EEXIST;
    }
  }
  const int out = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (out < 0) {
    return errno;
  }
  int error = copy_to(out);
  if (::close(out) != 0 && error == 0) {
    error = errno;
  }
  if (error != 0) {
    ::unlink(path.c_str());
  }
  return error;
}

int UploadSpool::copy_to(int out) const {
  if (!on_disk()) {
    return write_all(out, bytes_);
  }
  std::vector<char> step(kCopyStep);
  for (std::uint64_t at = 0; at < size_;) {
    const auto count = read(at, step.data(), step.size());
    if (!count) {
      return EIO;
    }
    if (const int error = write_all(out, {step.data(), *count}); error != 0) {
      return error;
    }
    at += *count;
  }
  return 0;
}

}  // namespace perigee::files
