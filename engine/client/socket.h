#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/byte_buffer.h"
#include "client/connecting.h"
#include "client/network.h"
#include "client/stream_pool.h"
#include "client/wait.h"

namespace perigee::client {

/// A stream socket as a program uses it, one operation after the other. An operation is begun by begin_...() and then
/// stepped: while that says kWaits, the caller waits until it is woken and steps again. A failure other than a timeout
/// of receiving closes the socket. Loop thread only.
class Socket {
 public:
  enum class Step : std::uint8_t {
    kDone,
    kWaits,  ///< sleep() and step again
    kFailed  ///< error() says why
  };

  /// TLS of a connection, with what of it makes two connections the same.
  struct Security {
    net::TlsIdentity identity;
    net::TlsTarget target;

    [[nodiscard]] std::string key() const;
  };

  /// `pool` keeps what keep_alive() gives; both outlive the socket.
  Socket(Network& network, StreamPool& pool);
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  /// Connects, or takes a connection of the pool: those of `pool_name`, or of the same destination. `security` is part
  /// of what must be equal; handshake() is for a fresh one. Closes what was open.
  void begin_connect(Destination destination, std::string_view pool_name, const Security* security,
                     Milliseconds patience);
  [[nodiscard]] Step connect();

  void begin_handshake(const Security& security, Milliseconds patience);
  [[nodiscard]] Step handshake();

  void begin_send(Milliseconds patience) { begin(patience); }
  /// What is to be sent is added here, between begin_send() and send().
  [[nodiscard]] std::string& output() { return output_; }
  [[nodiscard]] Step send();

  void begin_receive(Milliseconds patience) { begin(patience); }
  /// What came is in received(), until take() drops it; where it failed, what had come before.
  [[nodiscard]] Step receive_exactly(std::size_t size);
  /// Whatever comes next, up to `most` bytes.
  [[nodiscard]] Step receive_some(std::size_t most);
  /// Up to LF, which with a CR before it is left out of received().
  [[nodiscard]] Step receive_line();
  /// Until the peer sends no more.
  [[nodiscard]] Step receive_all();
  /// Up to `mark`, which is left out of received(); or, where `most` is not 0, the next bytes before it, at most so
  /// many. found_mark() tells which.
  [[nodiscard]] Step receive_until(std::string_view mark, std::size_t most);
  [[nodiscard]] bool found_mark() const { return found_mark_; }

  [[nodiscard]] std::string_view received() const { return received_; }
  /// Drops what the last receive gave.
  void take();

  /// Has `waker` called when the step that said kWaits is worth trying again.
  void sleep(std::function<void()> waker);

  /// Puts the connection into the pool: nothing may be unread. False: it was closed instead, error() says why.
  [[nodiscard]] bool keep_alive(Milliseconds idle, std::size_t most);
  void close();

  [[nodiscard]] bool connected() const { return pooled_.stream != nullptr; }
  [[nodiscard]] bool secure() const { return connected() && pooled_.stream->tls() != nullptr; }
  [[nodiscard]] const net::TlsSession* tls() const { return connected() ? pooled_.stream->tls() : nullptr; }
  /// How often the connection was taken from the pool.
  [[nodiscard]] int uses() const { return pooled_.uses; }
  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  void begin(Milliseconds patience);
  [[nodiscard]] Step fail(std::string error);
  [[nodiscard]] Step wait_or_time_out();
  [[nodiscard]] Step read_more(std::size_t wanted);
  [[nodiscard]] Step give(std::size_t size, std::size_t drop);

  Network& network_;
  StreamPool& pool_;
  Wait wait_;
  std::unique_ptr<Connecting> connecting_;
  PooledStream pooled_;
  std::string key_;  ///< in the pool
  ByteBuffer input_;
  std::string output_;
  std::size_t sent_ = 0;
  std::size_t searched_ = 0;  ///< bytes of the input that hold no end of what is being received
  std::string_view received_;
  std::size_t taken_ = 0;  ///< bytes of the input that take() drops
  std::string error_;
  bool found_mark_ = false;
  bool ended_ = false;  ///< the peer sends no more
  bool waits_for_stream_ = false;
};

}  // namespace perigee::client
