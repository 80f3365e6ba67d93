#include "server/project.h"

#include <filesystem>

#include "server/written_file.h"

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

Result<> make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  return error ? fail("'" + folder.string() + "' can't be made: " + error.message()) : Result<>();
}

}  // namespace

Result<> make_project(const std::string& folder) {
  if (folder.empty()) {
    return fail("a project needs a folder");
  }
  TRY(check_empty(folder));
  for (const ProjectFile& file : project_files()) {
    const fs::path path = fs::path(folder) / file.path;
    TRY(make_folder(path.parent_path()));
    TRY(write_file(path, file.text));
  }
  return {};
}

}  // namespace perigee::server
