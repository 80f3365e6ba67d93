#include "files/folder_listing.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <string_view>

#include "files/served_file.h"

namespace perigee::files {
namespace {

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

}  // namespace

bool list_public(const std::string& folder, const std::string& path, std::size_t most,
                 std::vector<std::string>& names) {
  if (!path.empty() && !is_public_path(path)) {
    return false;
  }
  const int fd = open_beneath(folder, path.empty() ? "." : path, O_RDONLY | O_DIRECTORY);
  const std::unique_ptr<DIR, CloseFolder> opened(fd < 0 ? nullptr : ::fdopendir(fd));
  if (opened == nullptr) {
    if (fd >= 0) {
      ::close(fd);
    }
    return false;
  }
  while (const dirent* entry = names.size() < most ? ::readdir(opened.get()) : nullptr) {
    const std::string_view name(entry->d_name);
    struct stat found {};
    if (!is_public_path(name) || ::fstatat(fd, entry->d_name, &found, AT_SYMLINK_NOFOLLOW) != 0) {
      continue;
    }
    if (S_ISDIR(found.st_mode)) {
      names.push_back(std::string(name) + "/");
    } else if (S_ISREG(found.st_mode)) {
      names.emplace_back(name);
    }
  }
  return true;
}

}  // namespace perigee::files
