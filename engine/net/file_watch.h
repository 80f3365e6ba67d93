#pragma once

#include <event2/event_struct.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "net/event_loop.h"

namespace perigee::net {

/// Tells when files below some folders were saved, by inotify: written and closed, moved, or deleted, as editors do
/// each in their own way. What happens within a few milliseconds is told once. Loop thread only.
class FileWatch {
 public:
  /// A save is told when this long nothing else has happened, and at the latest after kLongest. In milliseconds.
  static constexpr Milliseconds kQuiet = 10;
  static constexpr Milliseconds kLongest = 50;

  struct Settings {
    std::vector<std::string> folders;  ///< each with all below it, but for folders whose names begin with a dot
    std::vector<std::string> files;    ///< single files, there or not
    std::vector<std::string> endings;  ///< of the names in `folders` that count: ".lua"
    std::vector<std::string> ignored;  ///< names of folders that are left out
    std::size_t most_folders = 1000;
  };

  /// Begins to watch; `on_change` is told one of the paths that changed. The error says what the kernel refused.
  [[nodiscard]] static Result<std::unique_ptr<FileWatch>> open(EventLoop& loop, Settings settings,
                                                               std::function<void(const std::string& path)> on_change);
  ~FileWatch();
  FileWatch(const FileWatch&) = delete;
  FileWatch& operator=(const FileWatch&) = delete;

  /// How many folders are watched, and whether there are more than `most_folders`.
  [[nodiscard]] std::size_t folders() const { return watched_.size(); }
  [[nodiscard]] bool full() const { return full_; }

 private:
  struct Watched {
    std::string path;
    bool tree;  // or only for single files
  };

  FileWatch(EventLoop& loop, Settings settings, std::function<void(const std::string&)> on_change, int fd);
  [[nodiscard]] Result<> add_all();
  [[nodiscard]] Result<> add_folder(const std::string& path, bool tree);
  [[nodiscard]] Result<> add_tree(const std::string& path);
  void forget_below(const std::string& path);
  void read_events();
  void take_event(int descriptor, std::uint32_t mask, std::string_view name);
  void take_folder_event(const std::string& path, std::uint32_t mask);
  [[nodiscard]] bool counts(const std::string& path, bool in_tree) const;
  [[nodiscard]] bool is_ignored(std::string_view folder_name) const;
  void note_change(const std::string& path);
  void tell();

  EventLoop& loop_;
  Settings settings_;
  std::function<void(const std::string& path)> on_change_;
  std::unordered_map<int, Watched> watched_;  // by inotify's descriptors
  std::string changed_;
  Milliseconds first_change_ = 0;
  TimerOf<FileWatch, &FileWatch::tell> quiet_;
  int fd_;
  bool full_ = false;
  event event_;
};

}  // namespace perigee::net
