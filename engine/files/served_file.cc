#include "files/served_file.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "http/response.h"

namespace perigee::files {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

// A descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

// A descriptor, or -1 and errno.
int open_at(int folder, const char* path, std::uint64_t flags, std::uint64_t resolve) {
  constexpr int kTries = 8;  // the kernel asks for another try when something was renamed meanwhile
  open_how how{};
  how.flags = flags | O_CLOEXEC;
  how.resolve = resolve | RESOLVE_NO_MAGICLINKS;
  int fd = -1;
  for (int i = 0; i < kTries && fd < 0; ++i) {
    fd = static_cast<int>(::syscall(SYS_openat2, folder, path, &how, sizeof how));
    if (fd < 0 && errno != EAGAIN && errno != EINTR) {
      break;
    }
  }
  return fd;
}

std::int64_t nanoseconds(const timespec& time) {
  return static_cast<std::int64_t>(time.tv_sec) * kSecond + time.tv_nsec;
}

// 0, or an errno.
int read_identity(int fd, ServedFile::Identity& identity) {
  struct stat found {};
  if (::fstat(fd, &found) != 0) {
    return errno;
  }
  if (!S_ISREG(found.st_mode)) {
    return S_ISDIR(found.st_mode) ? EISDIR : ENOENT;
  }
  identity = {found.st_dev, found.st_ino, static_cast<std::uint64_t>(found.st_size), nanoseconds(found.st_mtim),
              nanoseconds(found.st_ctim)};
  return 0;
}

// 0, or an errno; a file that has become shorter is EAGAIN.
int read_content(int fd, std::string& content) {
  for (std::size_t done = 0; done < content.size();) {
    const ssize_t count = ::pread(fd, content.data() + done, content.size() - done, static_cast<off_t>(done));
    if (count > 0) {
      done += static_cast<std::size_t>(count);
    } else if (count == 0) {
      return EAGAIN;
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

// Time of change and size: whatever is written to a file, or put in its place, changes one of them.
std::string etag_of(const ServedFile::Identity& identity, std::string_view suffix) {
  char text[96];
  const int size = std::snprintf(
      text, sizeof text, "\"%llx-%llx-%llx%.*s\"", static_cast<unsigned long long>(identity.size),
      static_cast<unsigned long long>(identity.modified_ns), static_cast<unsigned long long>(identity.changed_ns),
      static_cast<int>(suffix.size()), suffix.data());
  return {text, static_cast<std::size_t>(size)};
}

}  // namespace

int open_beneath(const std::string& folder, const std::string& path, std::uint64_t flags) {
  if (folder.empty()) {
    return open_at(AT_FDCWD, path.c_str(), flags, 0);
  }
  const Descriptor root(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  return root.get() < 0 ? -1 : open_at(root.get(), path.c_str(), flags, RESOLVE_BENEATH);
}

tl::expected<ServedFile::Identity, int> ServedFile::identify(const std::string& folder, const std::string& path) {
  const Descriptor found(open_beneath(folder, path, O_PATH));
  if (found.get() < 0) {
    return tl::unexpected<int>(errno);
  }
  Identity identity;
  const int error = read_identity(found.get(), identity);
  return error == 0 ? tl::expected<Identity, int>(identity) : tl::unexpected<int>(error);
}

tl::expected<std::shared_ptr<const ServedFile>, int> ServedFile::open(const std::string& folder,
                                                                      const std::string& path, std::size_t small,
                                                                      std::string_view suffix) {
  // Devices and FIFOs are told by a look first: opening one can have effects.
  if (const auto found = identify(folder, path); !found) {
    return tl::unexpected<int>(found.error());
  }
  constexpr int kTries = 3;
  int error = EAGAIN;
  for (int i = 0; i < kTries && error == EAGAIN; ++i) {
    Descriptor opened(open_beneath(folder, path, O_RDONLY | O_NONBLOCK | O_NOCTTY));
    if (opened.get() < 0) {
      return tl::unexpected<int>(errno);
    }
    std::shared_ptr<ServedFile> file(new ServedFile);
    error = read_identity(opened.get(), file->identity_);
    if (error == 0 && file->size() < small) {
      file->content_.resize(file->size());
      error = read_content(opened.get(), file->content_);
      Identity after;
      if (error == 0 && (error = read_identity(opened.get(), after)) == 0 && after != file->identity_) {
        error = EAGAIN;  // it was written to while it was read
      }
    } else if (error == 0) {
      file->file_ = opened.release();
    }
    if (error == 0) {
      file->etag_ = etag_of(file->identity_, suffix);
      file->lines_ = "Last-Modified: " + http::http_date(file->modified()) + "\r\nETag: " + file->etag_ +
                     "\r\nAccept-Ranges: bytes\r\n";
      return file;
    }
  }
  return tl::unexpected<int>(error);
}

ServedFile::~ServedFile() {
  if (file_ >= 0) {
    ::close(file_);
  }
}

bool is_public_path(std::string_view path) {
  bool begins = true;  // a segment
  for (const char letter : path) {
    if (letter == '\0' || letter == '\\' || (begins && (letter == '/' || letter == '.'))) {
      return false;
    }
    begins = letter == '/';
  }
  return !begins;
}

bool leads_upwards(std::string_view path) {
  if (path.find('\0') != std::string_view::npos) {
    return true;
  }
  for (std::size_t start = 0; start <= path.size();) {
    const std::size_t end = std::min(path.find('/', start), path.size());
    if (path.substr(start, end - start) == "..") {
      return true;
    }
    start = end + 1;
  }
  return false;
}

int status_of_error(int error) {
  switch (error) {
    case EACCES:
    case EPERM:
      return 403;
    case ENOENT:
    case ENOTDIR:
    case EISDIR:
    case ELOOP:
    case EXDEV:
    case EINVAL:
    case ENAMETOOLONG:
    case ENXIO:
      return 404;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case EAGAIN:
      return 503;
    default:
      return 500;
  }
}

}  // namespace perigee::files
