#include "net/file_watch.h"

#include <event2/event.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <new>
#include <utility>

namespace perigee::net {
namespace {

namespace fs = std::filesystem;

// A file that is only opened and written to is not saved yet: its closing is told.
constexpr std::uint32_t kEvents =
    IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CREATE | IN_ONLYDIR | IN_EXCL_UNLINK;

std::string folder_of(const std::string& path) {
  const std::string folder = fs::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

std::string below(const std::string& folder, std::string_view name) {
  return (fs::path(folder) / name).string();
}

bool is_hidden(std::string_view name) {
  return name.starts_with('.');
}

}  // namespace

Result<std::unique_ptr<FileWatch>> FileWatch::open(EventLoop& loop, Settings settings,
                                                   std::function<void(const std::string&)> on_change) {
  const int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (fd < 0) {
    return fail("files can't be watched: " + std::string(std::strerror(errno)));
  }
  std::unique_ptr<FileWatch> watch(new FileWatch(loop, std::move(settings), std::move(on_change), fd));
  TRY(watch->add_all());
  return watch;
}

FileWatch::FileWatch(EventLoop& loop, Settings settings, std::function<void(const std::string&)> on_change, int fd)
    : loop_(loop), settings_(std::move(settings)), on_change_(std::move(on_change)), quiet_(*this), fd_(fd) {
  event_assign(
      &event_, loop.base(), fd_, EV_READ | EV_PERSIST,
      [](int, short, void* self) {
        try {
          static_cast<FileWatch*>(self)->read_events();
        } catch (const std::bad_alloc&) {
          // what was not taken is told with the next change
        }
      },
      this);
  if (event_add(&event_, nullptr) != 0) {
    ::close(fd_);
    throw std::bad_alloc();
  }
}

FileWatch::~FileWatch() {
  event_del(&event_);
  ::close(fd_);
}

Result<> FileWatch::add_all() {
  for (const std::string& file : settings_.files) {
    TRY(add_folder(folder_of(file), /*tree=*/false));
  }
  for (const std::string& folder : settings_.folders) {
    TRY(add_tree(folder));
  }
  return {};
}

// A folder that goes while it is added is none to watch.
Result<> FileWatch::add_folder(const std::string& path, bool tree) {
  const int descriptor = inotify_add_watch(fd_, path.c_str(), kEvents);
  if (descriptor >= 0) {
    auto [place, added] = watched_.try_emplace(descriptor, Watched{path, tree});
    place->second.tree = place->second.tree || tree;
    return {};
  }
  if (errno == ENOENT || errno == ENOTDIR) {
    return {};
  }
  return fail("'" + path + "' can't be watched: " + std::strerror(errno));
}

Result<> FileWatch::add_tree(const std::string& path) {
  if (watched_.size() >= settings_.most_folders) {
    full_ = true;
    return {};
  }
  TRY(add_folder(path, /*tree=*/true));
  std::error_code error;
  for (fs::directory_iterator entry(path, error), end; !error && entry != end; entry.increment(error)) {
    std::error_code unknown;
    const std::string name = entry->path().filename().string();
    if (entry->symlink_status(unknown).type() == fs::file_type::directory && !is_ignored(name)) {
      TRY(add_tree(below(path, name)));
    }
  }
  return {};
}

// Its descriptors would go on under a name that is no longer theirs.
void FileWatch::forget_below(const std::string& path) {
  for (auto entry = watched_.begin(); entry != watched_.end();) {
    const std::string& known = entry->second.path;
    if (known == path || known.starts_with(path + "/")) {
      inotify_rm_watch(fd_, entry->first);
      entry = watched_.erase(entry);
    } else {
      ++entry;
    }
  }
}

void FileWatch::read_events() {
  alignas(inotify_event) char bytes[16 * 1024];
  for (int turn = 0; turn < 16; ++turn) {
    const ssize_t count = ::read(fd_, bytes, sizeof bytes);
    if (count <= 0) {
      return;
    }
    for (ssize_t at = 0; at < count;) {
      const auto* one = reinterpret_cast<const inotify_event*>(bytes + at);
      take_event(one->wd, one->mask, one->len > 0 ? std::string_view(one->name) : std::string_view());
      at += static_cast<ssize_t>(sizeof(inotify_event) + one->len);
    }
  }
}

void FileWatch::take_event(int descriptor, std::uint32_t mask, std::string_view name) {
  if ((mask & IN_Q_OVERFLOW) != 0) {  // more happened than the kernel keeps: there may be new folders
    (void)add_all();
    note_change(settings_.folders.empty() ? std::string() : settings_.folders.front());
    return;
  }
  const auto found = watched_.find(descriptor);
  if (found == watched_.end()) {
    return;
  }
  if ((mask & IN_IGNORED) != 0) {
    watched_.erase(found);
    return;
  }
  const std::string path = below(found->second.path, name);
  if ((mask & IN_ISDIR) != 0) {
    if (found->second.tree && !is_ignored(name)) {
      take_folder_event(path, mask);
    }
  } else if (((mask & IN_CREATE) == 0 || fs::is_symlink(path)) && counts(path, found->second.tree)) {
    note_change(path);
  }
}

// A folder that is new may have its files already.
void FileWatch::take_folder_event(const std::string& path, std::uint32_t mask) {
  forget_below(path);
  if ((mask & (IN_CREATE | IN_MOVED_TO)) == 0) {
    note_change(path);
    return;
  }
  (void)add_tree(path);
  std::error_code error;
  for (fs::recursive_directory_iterator entry(path, error), end; !error && entry != end; entry.increment(error)) {
    std::error_code unknown;
    if (!entry->is_directory(unknown) && counts(entry->path().string(), /*in_tree=*/true)) {
      note_change(entry->path().string());
      return;
    }
  }
}

bool FileWatch::counts(const std::string& path, bool in_tree) const {
  const auto is_path = [&path](const std::string& file) {
    return below(folder_of(file), fs::path(file).filename().string()) == path;
  };
  const auto ends = [&path](const std::string& ending) { return path.ends_with(ending); };
  if (std::any_of(settings_.files.begin(), settings_.files.end(), is_path)) {
    return true;
  }
  return in_tree && !is_hidden(fs::path(path).filename().string()) &&
         std::any_of(settings_.endings.begin(), settings_.endings.end(), ends);
}

bool FileWatch::is_ignored(std::string_view folder_name) const {
  return is_hidden(folder_name) ||
         std::find(settings_.ignored.begin(), settings_.ignored.end(), folder_name) != settings_.ignored.end();
}

void FileWatch::note_change(const std::string& path) {
  const Milliseconds now = monotonic_ms();
  if (!quiet_.pending()) {
    first_change_ = now;
    changed_ = path;
  }
  loop_.timers().add(quiet_, std::min(now + kQuiet, first_change_ + kLongest));
}

void FileWatch::tell() {
  on_change_(changed_);
}

}  // namespace perigee::net
