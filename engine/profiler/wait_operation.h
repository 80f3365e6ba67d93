#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace perigee::profiler {

/// What a task waits for, as waits of requests are counted.
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

/// Who waits, by the name that its errors begin with, and what its waits are counted under. All others are kOther.
struct Waiting {
  std::string_view who;
  WaitOperation operation;
};
inline constexpr std::array kWaiting = {
    Waiting{"perigee.sleep", WaitOperation::kSleep},
    Waiting{"perigee.http", WaitOperation::kHttp},
    Waiting{"perigee.socket", WaitOperation::kSocket},
    Waiting{"task:wait", WaitOperation::kTask},
    Waiting{"perigee.all", WaitOperation::kTask},
    Waiting{"semaphore:acquire", WaitOperation::kSemaphore},
    Waiting{"fetch", WaitOperation::kFetch},
    Waiting{"req:read", WaitOperation::kBody},
    Waiting{"write", WaitOperation::kWrite},
    Waiting{"stream:subscribe", WaitOperation::kMessage},
    Waiting{"sessions.destroy", WaitOperation::kSession},
    Waiting{"session", WaitOperation::kSession},
};

}  // namespace perigee::profiler
