#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "net/listener.h"
#include "server/options.h"

namespace perigee::server {

/// The sockets that the server listens on: opened at the start, before it gives up its privileges, and handed to
/// workers once there are such.
class Listeners {
 public:
  struct Bound {
    std::size_t worker;  // who is to listen
    bool balanced;       // accepted sockets go to whichever worker has the fewest
    net::ListenSocket socket;
  };

  /// Opens what `listen` and `admin.listen` name, for that many workers.
  [[nodiscard]] Result<> open(const Options& options, std::size_t workers);
  /// The files that stand for Unix sockets.
  [[nodiscard]] std::vector<std::string> files() const;
  /// What people write to reach the server, in the order of the configuration.
  [[nodiscard]] const std::vector<std::string>& urls() const { return urls_; }
  /// What is left after that is the admin socket.
  [[nodiscard]] std::vector<Bound> take();
  /// Null where admin.listen is off, and once taken.
  [[nodiscard]] std::unique_ptr<net::ListenSocket> take_admin();

 private:
  [[nodiscard]] Result<> open_address(const std::string& text, const Options& options, std::size_t workers);

  std::vector<Bound> bound_;
  std::vector<std::string> urls_;
  std::unique_ptr<net::ListenSocket> admin_;
};

/// An address as people write it in a browser or for curl.
[[nodiscard]] std::string url_of(const net::SocketAddress& address);

}  // namespace perigee::server
