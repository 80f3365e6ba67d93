#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace perigee::server {

/// One file of a new project, carried inside the binary.
struct ProjectFile {
  std::string_view path;  ///< within the project
  std::string_view text;
};

/// Every file that a new project has. Immutable, any thread.
[[nodiscard]] const std::vector<ProjectFile>& project_files();

/// Makes a small working project in `folder`, which must be empty or not there yet. The error says what can't be made;
/// what was written before it stays.
[[nodiscard]] Result<> make_project(const std::string& folder);

}  // namespace perigee::server
