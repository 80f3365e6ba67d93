#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "client/detours.h"
#include "net/listener.h"
#include "script/test_desk.h"

namespace perigee::server {

/// The hosts that a file of tests stands in for: sockets on the loopback, to which its apps' perigee.http is led. Never
/// waits. The file's thread only.
class TestUpstreams {
 public:
  using Call = script::TestDesk::Call;

  /// REQUIRES: whoever heeds `detours` no longer does when they end.
  explicit TestUpstreams(client::Detours& detours) : detours_(detours) {}
  ~TestUpstreams();
  TestUpstreams(const TestUpstreams&) = delete;
  TestUpstreams& operator=(const TestUpstreams&) = delete;

  /// Stands in for a host, at a port or at any (0); its number. Connections that nobody uses end, so that the next
  /// request takes the new way.
  [[nodiscard]] Result<int> open(const std::string& host, int port);
  void close(int upstream);
  [[nodiscard]] bool empty() const { return sockets_.empty(); }

  /// What has come over some connection since, if anything has.
  [[nodiscard]] std::optional<Call> next();
  /// Sends bytes as the connection takes them; `last`: then it ends.
  void answer(int connection, std::string_view bytes, bool last);

 private:
  struct Connection {
    int upstream = 0;
    int fd = -1;
    std::string output;
    bool asked = false;  // something has come that was not answered
    bool last = false;
  };

  void accept_all();
  void flush(Connection& connection);
  [[nodiscard]] std::optional<Call> receive(int number, Connection& connection);
  void forget(int number);
  template <typename Condition>
  void forget_all(Condition condition);

  client::Detours& detours_;
  std::map<int, net::ListenSocket> sockets_;  // by the upstream's number
  std::map<int, Connection> connections_;     // by their own
  int made_ = 0;
};

}  // namespace perigee::server
