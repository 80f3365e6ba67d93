#pragma once

#include <memory>
#include <vector>

#include "client/http_call.h"

namespace perigee::script {

class Task;

/// The plain requests of a VM's tasks: one a task, which waits for it. No object of Lua's stands for them, and what has
/// ended serves again. The VM's thread only.
class HttpAsks {
 public:
  /// The call of the task's next request, in the place of one that it may have: to be filled in and started.
  [[nodiscard]] client::HttpCall& take(Task& task, client::Network& network);

  /// Ends the task's request, if it has one.
  void leave(Task& task);

 private:
  static constexpr std::size_t kSpare = 256;
  static constexpr std::size_t kSpareBytes = 64 * 1024;  ///< of the body that one may keep room for

  std::vector<std::unique_ptr<client::HttpCall>> spare_;
};

}  // namespace perigee::script
