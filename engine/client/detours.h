#pragma once

#include <map>
#include <mutex>
#include <string>
#include <utility>

namespace perigee::client {

/// Hosts that perigee.http finds at a port of the loopback, in the clear: a test answers for them. Any thread.
class Detours {
 public:
  /// What is asked of a host, at a port or at any (0), goes to `local` from here on.
  void add(const std::string& host, int port, int local);
  /// Nothing goes to `local` any more.
  void remove(int local);
  /// The port of the loopback that stands for a host; 0 where none does.
  [[nodiscard]] int find(const std::string& host, int port) const;

 private:
  mutable std::mutex mutex_;
  std::map<std::pair<std::string, int>, int> ports_;  // guarded by mutex_
};

}  // namespace perigee::client
