#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "net/event_loop.h"
#include "net/tls.h"

namespace perigee::net {

/// One outbound stream socket, TCP or Unix, plain or under TLS. It does nothing on its own: its user reads and writes,
/// and where that has to wait asks to be told. What is not read stays in the kernel, which slows the peer down. Loop
/// thread only.
class Stream {
 public:
  enum class Outcome : std::uint8_t {
    kDone,
    kWaits,  ///< await() says when to try again
    kEnded,  ///< the peer sends no more
    kFailed  ///< error() says why; of no more use
  };
  struct Progress {
    Outcome outcome;
    std::size_t count = 0;
  };

  /// Takes over a connected, non-blocking socket.
  Stream(EventLoop& loop, int fd);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  /// Reads up to `size` bytes. REQUIRES: size > 0.
  [[nodiscard]] Progress read(char* room, std::size_t size);

  /// Writes the first bytes of `bytes`; what is left must be written again.
  [[nodiscard]] Progress write(std::string_view bytes);

  /// Begins TLS as a client. handshake() goes on with it. False: error() says why.
  [[nodiscard]] bool begin_tls(TlsContext& context, const TlsTarget& target);
  [[nodiscard]] Outcome handshake();
  /// The session after handshake(); null in the clear.
  [[nodiscard]] const TlsSession* tls() const { return tls_.get(); }

  /// Calls `wake` once, when what said kWaits last may be tried again; it may destroy the stream. A second call takes
  /// the place of the first.
  void await(std::function<void()> wake);
  void stop_awaiting() { wake_ = nullptr; }

  /// Whether the peer is still there and has sent nothing that was not read: only then may another request use the
  /// stream. Messages of TLS itself do not count.
  [[nodiscard]] bool quiet();

  /// Whether the loop has found something on the stream, and is about to say so. What the loop has looked for since
  /// await_any(), and did not find, needs no quiet().
  [[nodiscard]] bool stirs() const { return watch_.found(); }

  /// Calls `wake` once, when something can be written or read.
  void await_either(std::function<void()> wake);

  /// Awaits whatever the peer does next: of an idle stream.
  void await_any(std::function<void()> wake);

  /// "closed", "reset" and the like, by its first word.
  [[nodiscard]] const std::string& error() const { return error_; }
  [[nodiscard]] int descriptor() const { return fd_; }
  /// The loop this lives on.
  [[nodiscard]] EventLoop& loop() { return loop_; }

 private:
  void on_events(Watch::Events events);
  [[nodiscard]] Progress read_plain(char* room, std::size_t size);
  [[nodiscard]] Progress settle(TlsSession::Progress progress);

  EventLoop& loop_;
  int fd_;
  WatchOf<Stream, &Stream::on_events> watch_;
  std::unique_ptr<TlsSession> tls_;
  std::function<void()> wake_;
  std::string error_;
  Watch::Events wanted_ = 0;  ///< what the operation that waits needs
};

/// What `error` (an errno) of a socket is called: a first word of the error convention, and more where it says more.
[[nodiscard]] std::string socket_error(int error);

}  // namespace perigee::net
