#pragma once

#include <string>
#include <string_view>

#include "net/connection.h"

namespace perigee::net {

/// The far end of a connection without a socket: what a client in this process speaks to a server with. The connection
/// behaves as one over TCP does, with its buffers, watermark and deadline, but nothing passes through the kernel. Loop
/// thread only.
class MemoryPeer {
 public:
  /// REQUIRES: `connection` was adopted with Connection::kInMemory and has no peer yet.
  explicit MemoryPeer(Connection& connection);
  /// Hangs up.
  ~MemoryPeer();
  MemoryPeer(const MemoryPeer&) = delete;
  MemoryPeer& operator=(const MemoryPeer&) = delete;

  /// Has bytes come at the connection. False when it is closed.
  bool send(std::string_view bytes);

  /// Appends what the connection has sent to `out`, files too; what it sends meanwhile comes with the next call.
  void receive(std::string& out);

  /// Says that nothing more will be sent (FIN).
  void finish_sending();

  /// Closes the connection as a client does that has gone.
  void hang_up();

  /// Whether the connection is closed: receive() has nothing new from then on.
  [[nodiscard]] bool closed() const { return connection_ == nullptr; }

 private:
  friend class Connection;

  void on_closed();
  void take_output(std::string& out);
  void take_file(std::string& out);
  void take_shared(std::string& out);

  Connection* connection_;
  std::string last_;  // what was unsent when the connection closed
};

}  // namespace perigee::net
