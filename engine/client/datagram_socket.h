#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "client/connecting.h"
#include "client/network.h"
#include "client/wait.h"
#include "net/stream.h"

namespace perigee::client {

/// A UDP or Unix datagram socket with one peer, stepped as a Socket is. What the peer's machine refuses (ICMP) is told
/// once and changes nothing. Loop thread only.
class DatagramSocket {
 public:
  enum class Step : std::uint8_t { kDone, kWaits, kFailed };

  static constexpr std::size_t kLongest = 65'536;  ///< bytes of a datagram

  explicit DatagramSocket(Network& network);
  ~DatagramSocket();
  DatagramSocket(const DatagramSocket&) = delete;
  DatagramSocket& operator=(const DatagramSocket&) = delete;

  void begin_connect(Destination destination, Milliseconds patience);
  [[nodiscard]] Step connect();

  void begin(Milliseconds patience);
  /// Sends one datagram. The kernel takes it at once or, where it has no room, not at all: that is "full".
  [[nodiscard]] Step send(std::string_view bytes);
  /// Receives one datagram into received(); what is over `most` bytes is lost.
  [[nodiscard]] Step receive(std::size_t most);

  void sleep(std::function<void()> waker);
  void close();

  [[nodiscard]] bool connected() const { return stream_ != nullptr; }
  [[nodiscard]] const std::string& received() const { return received_; }
  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  void on_names(const net::NameAnswer& answer);
  [[nodiscard]] bool open(const net::SocketAddress& address);
  [[nodiscard]] Step fail(std::string error);
  [[nodiscard]] Step wait_or_time_out();

  Network& network_;
  Wait wait_;
  Destination destination_;
  std::shared_ptr<net::Resolver> resolver_;
  std::uint64_t ticket_ = 0;
  std::unique_ptr<net::Stream> stream_;  // the descriptor, and the wait for it
  std::string received_;
  std::string error_;
};

}  // namespace perigee::client
