#pragma once

#include <future>
#include <memory>
#include <string>
#include <vector>

#include "profiler/recorder.h"
#include "server/command_line.h"

namespace perigee::server {

/// The profiles that `perigee bench` writes of all that it runs. One thread.
class BenchProfiles {
 public:
  /// Begins those that are wanted. False, once it has been said, where a file can't be written or nothing recorded.
  [[nodiscard]] bool begin(const BenchFlags& flags);
  /// Writes them. False, once it has been said, where that fails.
  [[nodiscard]] bool end();

  /// Null where none is wanted.
  [[nodiscard]] profiler::Recorder* recorder() const { return recorder_.get(); }

 private:
  struct Recording {
    std::string file;
    std::uint64_t number = 0;
    std::future<std::string> written;
  };

  [[nodiscard]] bool record(profiler::ProfileKind kind, const std::string& file);

  std::unique_ptr<profiler::Recorder> recorder_;
  std::vector<Recording> recordings_;
};

}  // namespace perigee::server
