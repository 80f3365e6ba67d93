#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "profiler/error_filter.h"

namespace perigee::profiler {

/// A failure as it is reported. Whatever is not known is "".
struct Failure {
  std::string_view text;    ///< the message, perhaps with "\nstack traceback:" and a traceback behind it
  std::string_view route;   ///< "GET /users/{id}"
  std::string_view host;    ///< of a call to another server that failed
  std::string_view sample;  ///< the request's line, without what could be secret
};

/// Failures that were the same but for their numbers, names and addresses.
struct ErrorKind {
  struct Place {
    std::string name;
    std::uint64_t count = 0;
  };

  std::string signature;
  std::string message;  ///< the first line of the first one's
  std::uint64_t count = 0;
  double first_seen = 0;  ///< seconds since 1970
  double last_seen = 0;
  std::vector<Place> routes;  ///< the most frequent first; "(others)" beyond kMostPlaces
  std::vector<Place> hosts;   ///< likewise
  std::string traceback;      ///< of the first one that had any
  std::string sample;         ///< likewise
};

/// Where failures are collected: uncaught errors, failed calls to other servers, failed reloads. Its memory is bounded:
/// of more kinds than it may hold, those that were not seen for longest are forgotten, and counted. Any thread.
class ErrorDesk {
 public:
  static constexpr std::size_t kMostPlaces = 100;      ///< routes, and hosts, of one kind
  static constexpr std::size_t kMostMessage = 1000;    ///< bytes
  static constexpr std::size_t kMostTraceback = 8000;  ///< bytes
  static constexpr std::size_t kMostSample = 500;      ///< bytes

  struct Settings {
    std::vector<std::string> ignore;  ///< ErrorFilter's patterns: what they match is counted and else left out
    std::size_t kinds = 500;          ///< that are kept
  };

  struct Totals {
    std::uint64_t errors = 0;   ///< those of kinds that were forgotten included
    std::uint64_t ignored = 0;  ///< not among them
    std::uint64_t forgotten_kinds = 0;
    std::size_t kinds = 0;  ///< that are kept
  };

  ErrorDesk();
  ~ErrorDesk();
  ErrorDesk(const ErrorDesk&) = delete;
  ErrorDesk& operator=(const ErrorDesk&) = delete;

  void apply(const Settings& settings);

  /// Counts a failure. Drops it where there is no memory.
  void note(const Failure& failure) noexcept;

  /// A call to `host` ("name:port") failed: "timeout", "refused: ...". Its name does not tell kinds apart.
  void note_failure(std::string_view host, std::string_view error, std::string_view route = "") noexcept {
    note({error, route, host, ""});
  }

  /// What was collected, the most frequent first.
  [[nodiscard]] std::vector<ErrorKind> kinds() const;
  [[nodiscard]] Totals totals() const;

 private:
  struct Entry;
  struct Shard;
  static constexpr std::size_t kShards = 8;  // so that workers seldom wait for each other

  void note_unguarded(const Failure& failure);

  std::array<std::unique_ptr<Shard>, kShards> shards_;
  mutable std::mutex filter_mutex_;
  std::shared_ptr<const ErrorFilter> filter_;  // guarded by filter_mutex_
  std::atomic<bool> filters_{false};           // whether there is one
  std::atomic<std::size_t> most_{0};           // kinds of one shard
  std::atomic<std::uint64_t> ignored_{0};
};

}  // namespace perigee::profiler
