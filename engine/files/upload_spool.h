#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace perigee::files {

/// The bytes of one uploaded part: in memory up to a bound, in an unnamed file above it, which is gone when this is.
/// Writes and reads block. One thread at a time.
class UploadSpool {
 public:
  /// `folder` is where the file goes, `memory` the most bytes kept without one.
  UploadSpool(std::string folder, std::size_t memory) : folder_(std::move(folder)), memory_(memory) {}
  ~UploadSpool();
  UploadSpool(UploadSpool&& other) noexcept;
  UploadSpool& operator=(UploadSpool&&) = delete;
  UploadSpool(const UploadSpool&) = delete;
  UploadSpool& operator=(const UploadSpool&) = delete;

  /// 0, or the errno of what failed. The spool is of no use after that.
  [[nodiscard]] int append(std::string_view bytes);

  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] bool on_disk() const { return file_ >= 0; }
  /// The next append() of `size` bytes goes to disk, where nothing was so far.
  [[nodiscard]] bool would_begin_file(std::size_t size) const { return !on_disk() && size_ + size > memory_; }

  /// Reads up to `size` bytes from `offset` on; 0 at the end.
  [[nodiscard]] Result<std::size_t> read(std::uint64_t offset, char* to, std::size_t size) const;

  /// Gives the bytes a name, relative to the working directory and with the mode that the umask leaves: linked where
  /// the file is on that file system, copied else. Never follows a symbolic link at `path`, and replaces what is there,
  /// in one step, only with `overwrite`. An error begins with "exists", "not found", "full" or "refused".
  [[nodiscard]] Result<> move_to(const std::string& path, bool overwrite) const;

 private:
  [[nodiscard]] int begin_file();
  [[nodiscard]] int place(const std::string& path) const;
  [[nodiscard]] int copy_to(int out) const;

  std::string folder_;
  std::size_t memory_;
  std::string bytes_;
  std::uint64_t size_ = 0;
  int file_ = -1;
  bool linkable_ = false;
};

}  // namespace perigee::files
