#pragma once

#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "base/result.h"

namespace perigee {

/// A thread that does `work`. Fails where the system has none left, or no memory for its stack.
template <typename Work>
[[nodiscard]] Result<std::thread> new_thread(Work work) {
  try {
    return std::thread(std::move(work));
  } catch (const std::system_error& refusal) {
    return fail(std::string("the system refuses a thread: ") + refusal.code().message());
  }
}

}  // namespace perigee
