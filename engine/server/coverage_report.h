#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "script/coverage.h"

namespace perigee::server {

/// What tests have run of an app's files.
class CoverageReport {
 public:
  struct Line {
    std::string text;
    bool active = false;  ///< it holds code
    std::uint64_t count = 0;
  };
  struct File {
    std::string path;
    std::vector<Line> lines;  ///< from line 1
    std::size_t active = 0;
    std::size_t hit = 0;

    /// The lines with code that did not run: "4, 8-10".
    [[nodiscard]] std::string missed() const;
  };

  /// Reads the files that were counted, but for those of `tests`. Files that are gone are left out.
  CoverageReport(const std::map<std::string, script::LineCounts>& counts, const std::vector<std::string>& tests);

  [[nodiscard]] const std::vector<File>& files() const { return files_; }

  /// A table: each file with its lines, how many ran, and which did not.
  [[nodiscard]] std::string table() const;

  /// The same as a page, with the source of each file coloured.
  [[nodiscard]] std::string page() const;

  /// Writes the page to `folder`/index.html, making the folder; its path.
  [[nodiscard]] Result<std::string> write(const std::string& folder) const;

 private:
  std::vector<File> files_;  // by path
};

}  // namespace perigee::server
