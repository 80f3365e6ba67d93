#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace perigee::server {

/// The files that `perigee test` or `perigee bench` runs, sorted: of `paths` the files as they are, and of folders,
/// with all below them, those whose names end in one of `endings` ("_spec.lua"). Without paths the folders tests, spec,
/// bench and lua are looked through, where they are. Hidden folders are passed over. The error names what is missing,
/// or can't be read.
[[nodiscard]] Result<std::vector<std::string>> spec_files(const std::vector<std::string>& paths,
                                                          const std::vector<std::string_view>& endings);

}  // namespace perigee::server
