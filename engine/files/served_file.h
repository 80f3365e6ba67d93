#pragma once

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace perigee::files {

/// A regular file as it was when it was opened. A small one's content is in memory, of a large one the descriptor is
/// open: it stays that file, whatever the name comes to mean. Immutable; whoever sends from it shares it.
class ServedFile {
 public:
  /// What tells a file from another one, and from itself after a change.
  struct Identity {
    std::uint64_t device = 0, inode = 0, size = 0;
    std::int64_t modified_ns = 0, changed_ns = 0;
    bool operator==(const Identity&) const = default;
  };

  /// Opens `path`. With a `folder` it lies below it: no symbolic link, ".." or slash leads out (openat2(2),
  /// RESOLVE_BENEATH). Files of fewer than `small` bytes are read, others kept open. `suffix` tells codings of one file
  /// apart in the ETag. The error is an errno: EISDIR for a folder, ENOENT for whatever else is no regular file.
  [[nodiscard]] static tl::expected<std::shared_ptr<const ServedFile>, int> open(const std::string& folder,
                                                                                 const std::string& path,
                                                                                 std::size_t small,
                                                                                 std::string_view suffix = {});

  /// What `path` is now, without opening it; likewise.
  [[nodiscard]] static tl::expected<Identity, int> identify(const std::string& folder, const std::string& path);

  ~ServedFile();
  ServedFile(const ServedFile&) = delete;
  ServedFile& operator=(const ServedFile&) = delete;

  [[nodiscard]] const Identity& identity() const { return identity_; }
  [[nodiscard]] std::uint64_t size() const { return identity_.size; }
  [[nodiscard]] std::time_t modified() const { return static_cast<std::time_t>(identity_.modified_ns / 1'000'000'000); }
  [[nodiscard]] bool in_memory() const { return file_ < 0; }
  [[nodiscard]] std::string_view content() const { return content_; }  ///< REQUIRES: in_memory()
  [[nodiscard]] int descriptor() const { return file_; }               ///< REQUIRES: !in_memory()
  [[nodiscard]] std::string_view etag() const { return etag_; }
  /// Last-Modified, ETag and Accept-Ranges as header lines.
  [[nodiscard]] std::string_view lines() const { return lines_; }

 private:
  ServedFile() = default;

  Identity identity_;
  int file_ = -1;
  std::string content_;
  std::string etag_;
  std::string lines_;
};

/// Opens `path` below `folder` so that nothing leads out of it (openat2(2), RESOLVE_BENEATH); anywhere where `folder`
/// is
/// "". A descriptor, or -1 with errno set. `flags` as open(2) has them; O_CLOEXEC is added.
[[nodiscard]] int open_beneath(const std::string& folder, const std::string& path, std::uint64_t flags);

/// Whether a path may be looked up below a served folder: segments that are not empty and begin with no dot, without
/// NUL, backslash or slashes around them.
[[nodiscard]] bool is_public_path(std::string_view path);

/// Whether some segment of a path is "..", or it holds a NUL.
[[nodiscard]] bool leads_upwards(std::string_view path);

/// The HTTP status for a file that could not be opened: 404, 403 for a want of rights, 503 for a want of descriptors or
/// memory, 500.
[[nodiscard]] int status_of_error(int error);

}  // namespace perigee::files
