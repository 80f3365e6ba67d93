#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace perigee::files {

/// Collects the names of the files and folders in the folder at `path` ("" is `folder` itself) below `folder`: regular
/// files, and folders with a slash at the end, none whose name begins with a dot, no symbolic links; at most `most`, in
/// no order. False when there is no such folder below it.
[[nodiscard]] bool list_public(const std::string& folder, const std::string& path, std::size_t most,
                               std::vector<std::string>& names);

}  // namespace perigee::files
