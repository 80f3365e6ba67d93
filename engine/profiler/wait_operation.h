#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace perigee::profiler {

/// What a task waits for, as waits are counted. lua/perigee/tasks.lua has the same numbers.
enum class WaitOperation : std::uint8_t {
  kOther,
  kSleep,
  kHttp,    ///< perigee.http
  kSocket,  ///< perigee.socket
  kTask,    ///< task:wait, perigee.all
  kSemaphore,
  kFetch,    ///< a value that another task computes
  kBody,     ///< bytes of a request
  kWrite,    ///< room to write
  kMessage,  ///< something published
  kSession,  ///< a session that is being made safe
  kCount
};

constexpr std::size_t kWaitOperations = static_cast<std::size_t>(WaitOperation::kCount);

/// The word that names it in metrics.
[[nodiscard]] constexpr std::string_view name_of(WaitOperation operation) {
  constexpr std::array<std::string_view, kWaitOperations> kNames = {
      "other", "sleep", "http", "socket", "task", "semaphore", "fetch", "body", "write", "message", "session"};
  return kNames[static_cast<std::size_t>(operation)];
}

/// The operation of a number that Lua has written; kOther of one that is none.
[[nodiscard]] constexpr WaitOperation wait_operation(std::int32_t number) {
  return number > 0 && number < static_cast<std::int32_t>(kWaitOperations) ? static_cast<WaitOperation>(number)
                                                                           : WaitOperation::kOther;
}

}  // namespace perigee::profiler
