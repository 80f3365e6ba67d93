#include "server/spec_files.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <system_error>

namespace perigee::server {
namespace {

namespace fs = std::filesystem;

constexpr std::array kFolders = {"tests", "spec", "bench", "lua"};

bool wanted(const std::string& name, const std::vector<std::string_view>& endings) {
  return std::any_of(endings.begin(), endings.end(), [&](std::string_view end) { return name.ends_with(end); });
}

// Adds the files below a folder. Tests that nobody would miss must not be passed over: a folder that can't be read
// fails.
Result<> search(const std::string& folder, const std::vector<std::string_view>& endings,
                std::vector<std::string>& found) {
  std::error_code error;
  std::string at = folder;
  auto entry = fs::recursive_directory_iterator(folder, error);
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    at = entry->path().string();
    const std::string name = entry->path().filename().string();
    std::error_code ignored;
    if (entry->is_directory(ignored)) {
      if (name.starts_with('.') || name == "node_modules") {
        entry.disable_recursion_pending();
      }
    } else if (wanted(name, endings)) {
      found.push_back(entry->path().lexically_normal().string());
    }
  }
  if (error) {
    return fail(at + " can't be read: " + error.message());
  }
  return {};
}

std::string listed(const std::vector<std::string_view>& endings) {
  std::string text;
  for (const std::string_view ending : endings) {
    text.append(text.empty() ? "*" : " or *").append(ending);
  }
  return text;
}

}  // namespace

Result<std::vector<std::string>> spec_files(const std::vector<std::string>& paths,
                                            const std::vector<std::string_view>& endings) {
  std::vector<std::string> found;
  std::string places;
  const auto look = [&](const std::string& folder) -> Result<> {
    places.append(places.empty() ? "" : ", ").append(folder);
    return search(folder, endings, found);
  };
  std::error_code error;
  for (const std::string& path : paths) {
    if (fs::is_directory(path, error)) {
      TRY(look(path));
    } else if (fs::exists(path, error)) {
      found.push_back(fs::path(path).lexically_normal().string());
    } else {
      return fail("there is no " + path);
    }
  }
  for (const char* folder : kFolders) {
    if (paths.empty() && fs::is_directory(folder, error)) {
      TRY(look(folder));
    }
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  if (found.empty()) {
    return fail("no files " + listed(endings) + " in " +
                (places.empty() ? "tests, spec, bench or lua: there are no such folders here" : places));
  }
  return found;
}

}  // namespace perigee::server
