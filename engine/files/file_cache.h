#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"
#include "files/served_file.h"

namespace perigee::files {

/// A file and the neighbours that hold it compressed (app.js.br, app.js.gz), where there are any that are not older.
struct FileSet {
  std::shared_ptr<const ServedFile> plain;
  std::shared_ptr<const ServedFile> brotli;
  std::shared_ptr<const ServedFile> gzip;
  std::string_view type;  ///< by the plain one's name
};

/// The files that a worker served last: small ones' contents, large ones' descriptors. Bounded in both; the least
/// recently used go first, and what is being sent stays open until it is. An entry is looked at anew when it was not
/// for a while, so a change shows after that time at most. One thread.
class FileCache {
 public:
  struct Limits {
    std::size_t files = 1000;               ///< entries
    std::size_t memory = 16 * 1024 * 1024;  ///< bytes of contents
    std::size_t small = 64 * 1024;          ///< files of so many bytes and more are sent from their descriptor
    Milliseconds fresh = 1000;              ///< how long an entry is believed
  };

  explicit FileCache(const Limits& limits) : limits_(limits) {}
  FileCache(const FileCache&) = delete;
  FileCache& operator=(const FileCache&) = delete;

  /// Takes other limits; what is over them goes.
  void set_limits(const Limits& limits);

  /// What a look-up found: `files`, valid until the next call, or why there are none (an errno).
  struct Found {
    const FileSet* files = nullptr;
    int error = 0;
  };

  /// The file at `path` (below `folder`, where one is named) as of at most `fresh` before `now`.
  [[nodiscard]] Found find(std::string_view folder, std::string_view path, bool precompressed, Milliseconds now);

  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  [[nodiscard]] std::size_t memory() const { return memory_; }

 private:
  struct Entry {
    std::string key;
    FileSet files;
    Milliseconds checked = 0;
    std::size_t memory = 0;
  };
  using Entries = std::list<Entry>;

  [[nodiscard]] Found load(std::string_view folder, std::string_view path, bool precompressed, Milliseconds now);
  [[nodiscard]] bool unchanged(std::string_view folder, std::string_view path, bool precompressed,
                               const FileSet& files) const;
  void remove(Entries::iterator entry);
  void shrink();

  Limits limits_;
  Entries entries_;  // the one used last in front
  std::unordered_map<std::string_view, Entries::iterator> places_;
  std::size_t memory_ = 0;
  std::string key_;
  FileSet last_;  // what was found and is too large to be kept
};

}  // namespace perigee::files
