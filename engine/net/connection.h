#pragma once

#include <cstdint>
#include <memory>

#include "base/byte_buffer.h"
#include "base/timer_wheel.h"
#include "net/event_loop.h"
#include "net/peer_address.h"
#include "net/shared_queue.h"

namespace perigee::net {

class Connection;
class MemoryPeer;

/// What a connection tells its owner. Loop thread only. Any of these may call close().
class ConnectionHandler {
 public:
  virtual ~ConnectionHandler() = default;

  /// Bytes came: they are in input(). What is left there comes again with the next ones.
  virtual void on_data(Connection& connection) = 0;

  /// The peer sends no more; it may still read (RFC 9112 section 9.6).
  virtual void on_half_close(Connection& connection) = 0;

  /// Output that was at or over the watermark has been sent down to below it.
  virtual void on_drained(Connection& connection) = 0;

  /// A file that send_file() left kPending has been sent; not `whole`: it was shorter than it was to be, or can't be
  /// read.
  virtual void on_file_sent(Connection& connection, bool whole) = 0;

  /// The deadline set last has passed.
  virtual void on_deadline(Connection& connection) = 0;

  /// The socket is gone, for whatever reason. Said once, last; the connection is destroyed soon after.
  virtual void on_closed(Connection& connection) = 0;
};

/// One TCP or Unix stream socket: bytes in, bytes out, one deadline. Idle, it holds no buffers. Owned by the loop it
/// lives on (it destroys itself after on_closed); loop thread only.
class Connection {
 public:
  /// Takes over a connected, non-blocking socket. close() ends the object.
  static Connection& adopt(EventLoop& loop, int fd, const PeerAddress& peer, ConnectionHandler& handler);
  static constexpr int kInMemory = -1;  ///< instead of a socket: a MemoryPeer is at the other end

  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  [[nodiscard]] ByteBuffer& input() { return input_; }
  [[nodiscard]] ByteBuffer& output() { return output_; }
  /// Who is at the other end: whom accept() saw, or whom a proxy stands for.
  [[nodiscard]] const PeerAddress& peer() const { return peer_; }
  /// Whether TLS protects what comes from them.
  [[nodiscard]] bool secure() const { return secure_; }
  /// Takes another's word for who is there.
  void set_peer(const PeerAddress& peer, bool secure) {
    peer_ = peer;
    secure_ = secure;
  }
  [[nodiscard]] EventLoop& loop() { return loop_; }
  [[nodiscard]] bool half_closed() const { return half_closed_; }
  [[nodiscard]] bool open() const { return state_ == State::kOpen; }

  /// Whether anything was ever sent on it.
  [[nodiscard]] bool served() const { return served_; }

  /// Whether bytes have come that were not read yet.
  [[nodiscard]] bool has_unread() const;

  /// Whatever the handler hangs on the connection.
  void* context = nullptr;

  /// Has another handler told what happens from now on.
  void hand_over(ConnectionHandler& handler) { handler_ = &handler; }

  /// Sends what is in output(); the rest goes when the socket takes it. False when the connection broke (and closed).
  bool flush();

  /// What has become of a file that is sent.
  enum class FileState : std::uint8_t {
    kSent,
    kPending,  ///< the socket takes no more for now: on_file_sent() follows, or on_closed()
    kShort,    ///< the file ended early or can't be read: fewer bytes were sent
    kClosed    ///< the connection broke (and closed)
  };

  /// Sends `size` bytes of a file from `offset` on (sendfile(2)), behind what is in output(). REQUIRES: no file is
  /// being sent; nothing is added to output() and `file` stays open until this one is.
  [[nodiscard]] FileState send_file(int file, std::uint64_t offset, std::uint64_t size);
  /// Bytes of the file that are still to be sent.
  [[nodiscard]] std::uint64_t file_left() const { return file_left_; }

  /// Sends bytes that other connections send too, behind what is in output(): at once and without a copy where nothing
  /// waits, else they wait as a reference. False when the connection closed: it broke, or more than the watermark would
  /// be waiting. REQUIRES: no file is being sent; nothing is added to output() while shared bytes wait.
  bool send_shared(const SharedBytes& part);
  /// Has shared bytes wait for the next flush(). False when the connection closed: more than the watermark would wait.
  bool queue_shared(const SharedBytes& part);
  /// Shared bytes that wait.
  [[nodiscard]] std::size_t shared_left() const { return shared_ != nullptr ? shared_->size() : 0; }

  /// Whether output() stands at or above the watermark: on_drained follows once it does not.
  [[nodiscard]] bool congested() const { return output_.size() >= watermark_; }
  void set_watermark(std::size_t bytes) { watermark_ = bytes; }

  /// Closes the connection when the peer takes no output for that long while some is waiting.
  void set_write_timeout(Milliseconds timeout) { write_timeout_ = timeout; }

  /// Stops or resumes reading from the socket.
  void set_reading(bool reading);
  [[nodiscard]] bool reading() const { return reading_; }

  /// Asks for on_deadline at `deadline` (monotonic milliseconds), instead of the one asked for before.
  /// Pushing it later costs a store.
  void set_deadline(Milliseconds deadline) {
    deadline_ = deadline;
    expect_timer(deadline);
  }
  void clear_deadline() { deadline_ = kNoDeadline; }

  /// Sends what is in output(), says FIN, reads and drops what still comes for up to two seconds, and closes: the peer
  /// gets the whole answer even if it was still sending (RFC 9112 section 9.6).
  void close_gracefully();

  /// Closes now. Unsent output is lost.
  void close();

 private:
  friend class EventLoop;
  friend class MemoryPeer;
  friend class ConnectionSet;
  enum class State : std::uint8_t { kOpen, kFlushing, kLingering, kClosed };
  static constexpr Milliseconds kNoDeadline = INT64_MAX;
  static constexpr Milliseconds kLinger = 2000;
  static constexpr std::size_t kReadRoom = 2048;
  static constexpr std::size_t kFileTurn = 1024 * 1024;  ///< bytes of a file before others have their turn

  Connection(EventLoop& loop, int fd, const PeerAddress& peer, ConnectionHandler& handler);
  ~Connection() = default;
  static void destroy(Connection& connection);

  void on_events(Watch::Events events);
  void on_readable();
  void on_writable();
  void discard_input();
  void on_timer();
  void expect_timer(Milliseconds deadline) {
    if (!timer_.pending() || timer_.deadline() > deadline) {
      loop_.timers().add(timer_, deadline);
    }
  }
  void note_progress(bool progress);
  [[nodiscard]] bool unsent() const { return !output_.empty() || file_left_ != 0 || shared_ != nullptr; }
  void send_file_bytes();
  [[nodiscard]] bool send_shared_bytes();
  [[nodiscard]] bool flush_at_once();
  void begin_linger();
  // Has watched what is of use now.
  void update_interest() {
    if (fd_ != kInMemory) {
      watch_.set(fd_, (reading_ && !half_closed_ ? Watch::kRead : 0) | (writing_ ? Watch::kWrite : 0));
    }
  }

  EventLoop& loop_;
  ConnectionHandler* handler_;
  WatchOf<Connection, &Connection::on_events> watch_;
  TimerOf<Connection, &Connection::on_timer> timer_;
  Milliseconds deadline_ = kNoDeadline;
  Milliseconds write_deadline_ = kNoDeadline;
  Milliseconds write_timeout_ = 30'000;
  ByteBuffer input_;
  ByteBuffer output_;
  std::size_t watermark_ = 1024 * 1024;
  std::uint64_t file_offset_ = 0;
  std::uint64_t file_left_ = 0;
  std::unique_ptr<SharedQueue> shared_;  // while it holds some
  std::size_t place_ = 0;                // in the ConnectionSet that has it
  Connection* buried_before_ = nullptr;  // once it is closed
  PeerAddress peer_;
  MemoryPeer* other_end_ = nullptr;  // null where there is a socket
  int fd_;
  int file_ = -1;
  State state_ = State::kOpen;
  bool reading_ = true;
  bool writing_ = false;
  bool half_closed_ = false;
  bool served_ = false;
  bool secure_ = false;
  bool file_short_ = false;    // the file had no more to give
  bool file_awaited_ = false;  // on_file_sent() is owed
};

}  // namespace perigee::net
