#include "server/project.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace perigee::server {
namespace {

namespace fs = std::filesystem;

Result<> check_empty(const fs::path& folder) {
  std::error_code error;
  if (!fs::exists(folder, error)) {
    return {};
  }
  if (!fs::is_directory(folder, error)) {
    return fail("'" + folder.string() + "' is there already, and no folder");
  }
  const bool empty = fs::is_empty(folder, error);
  if (error) {
    return fail("'" + folder.string() + "' can't be read: " + error.message());
  }
  if (!empty) {
    return fail("'" + folder.string() + "' is not empty: name a new folder");
  }
  return {};
}

Result<> write_file(const fs::path& path, std::string_view text) {
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  if (error) {
    return fail("'" + path.parent_path().string() + "' can't be made: " + error.message());
  }
  errno = 0;
  std::ofstream file(path, std::ios::binary);
  file << text << std::flush;
  if (!file) {
    return fail("'" + path.string() + "' can't be written: " + std::strerror(errno));
  }
  return {};
}

}  // namespace

Result<> make_project(const std::string& folder) {
  if (folder.empty()) {
    return fail("a project needs a folder");
  }
  TRY(check_empty(folder));
  for (const ProjectFile& file : project_files()) {
    TRY(write_file(fs::path(folder) / file.path, file.text));
  }
  return {};
}

}  // namespace perigee::server
