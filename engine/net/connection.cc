#include "net/connection.h"

#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <new>

#include "net/memory_peer.h"
#include "net/socket_calls.h"

namespace perigee::net {
namespace {

// Whether an errno of sendfile() speaks of the socket, and not of the file.
bool blames_socket(int error) {
  return error == EPIPE || error == ECONNRESET || error == ENOTCONN || error == ETIMEDOUT || error == EHOSTUNREACH ||
         error == ENETUNREACH || error == ENETDOWN;
}

}  // namespace

Connection& Connection::adopt(EventLoop& loop, int fd, const PeerAddress& peer, ConnectionHandler& handler) {
  static_assert(sizeof(Connection) <= ConnectionPool::kBlockSize);
  char* room = loop.connections().take();
  if (room == nullptr) {
    throw std::bad_alloc();
  }
  try {
    return *new (room) Connection(loop, fd, peer, handler);
  } catch (...) {
    loop.connections().give(room);
    throw;
  }
}

void Connection::destroy(Connection& connection) {
  ConnectionPool& pool = connection.loop_.connections();
  connection.~Connection();
  pool.give(reinterpret_cast<char*>(&connection));
}

Connection::Connection(EventLoop& loop, int fd, const PeerAddress& peer, ConnectionHandler& handler)
    : loop_(loop),
      handler_(&handler),
      watch_(loop.poller(), *this),
      timer_(*this),
      input_(loop.buffers()),
      output_(loop.buffers()),
      peer_(peer),
      fd_(fd),
      writing_(fd == kInMemory) {  // what is sent stays in output() until the peer takes it
  update_interest();
}

void Connection::on_events(Watch::Events events) try {
  if ((events & Watch::kRead) != 0) {
    on_readable();
  }
  if ((events & Watch::kWrite) != 0 && state_ != State::kClosed) {
    on_writable();
  }
} catch (const std::bad_alloc&) {
  close();
}

void Connection::on_readable() {
  if (state_ != State::kOpen) {
    discard_input();
    return;
  }
  char* room = input_.reserve(kReadRoom);
  const ssize_t count = SocketCalls::receive(fd_, room, input_.room());
  if (count > 0) {
    loop_.traffic().received.add(static_cast<std::uint64_t>(count));
    input_.commit(static_cast<std::size_t>(count));
    handler_->on_data(*this);
    input_.release_if_empty();
    return;
  }
  input_.release_if_empty();
  if (count == 0) {
    half_closed_ = true;
    update_interest();
    handler_->on_half_close(*this);
  } else if (errno != EAGAIN && errno != EINTR) {
    close();
  }
}

// On the way out nothing the peer sends matters any more, but reading it keeps the kernel from resetting the
// connection.
void Connection::discard_input() {
  char bytes[4096];
  const ssize_t count = SocketCalls::receive(fd_, bytes, sizeof bytes);
  if (count > 0) {
    loop_.traffic().received.add(static_cast<std::uint64_t>(count));
    return;
  }
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
    return;
  }
  half_closed_ = true;
  if (state_ == State::kLingering || count < 0) {
    close();
  } else {
    update_interest();
  }
}

bool Connection::flush() {
  if (writing_ || !unsent()) {
    return state_ != State::kClosed;
  }
  if (file_left_ != 0 || shared_ != nullptr || congested() || !flush_at_once()) {
    on_writable();
  }
  return state_ != State::kClosed;
}

/// What mostly happens: all output goes out by one call. False: there is more to do, or to find out.
bool Connection::flush_at_once() {
  const ssize_t count = SocketCalls::transmit(fd_, output_.data(), output_.size(), 0);
  if (count < 0) {
    return false;
  }
  served_ = true;
  loop_.traffic().sent.add(static_cast<std::uint64_t>(count));
  output_.consume(static_cast<std::size_t>(count));
  if (!output_.empty()) {
    return false;
  }
  output_.release_if_empty();
  if (state_ == State::kFlushing) {
    begin_linger();
  }
  return true;
}

void Connection::on_writable() {
  const bool was_congested = congested();
  const std::size_t before = output_.size();
  const std::uint64_t file_before = file_left_;
  while (!output_.empty()) {
    const ssize_t count = SocketCalls::transmit(fd_, output_.data(), output_.size(), file_left_ != 0 ? MSG_MORE : 0);
    if (count >= 0) {
      served_ = true;
      loop_.traffic().sent.add(static_cast<std::uint64_t>(count));
      output_.consume(static_cast<std::size_t>(count));
    } else if (errno == EAGAIN) {
      break;
    } else if (errno != EINTR) {
      close();
      return;
    }
  }
  if (file_left_ != 0 && output_.empty()) {
    send_file_bytes();
    if (state_ == State::kClosed) {
      return;
    }
  }
  const std::size_t shared_before = shared_left();
  if (shared_before != 0 && !send_shared_bytes()) {
    return;
  }
  note_progress(output_.size() < before || file_left_ != file_before || shared_left() != shared_before);
  output_.release_if_empty();
  writing_ = unsent();
  update_interest();
  if (was_congested && !congested() && state_ == State::kOpen) {
    handler_->on_drained(*this);
  }
  if (file_awaited_ && file_left_ == 0 && state_ == State::kOpen) {
    file_awaited_ = false;
    handler_->on_file_sent(*this, !file_short_);
  }
  if (state_ == State::kFlushing && !unsent()) {
    begin_linger();
  }
}

Connection::FileState Connection::send_file(int file, std::uint64_t offset, std::uint64_t size) {
  file_ = file;
  file_offset_ = offset;
  file_left_ = size;
  file_short_ = false;
  if (!flush()) {
    return FileState::kClosed;
  }
  file_awaited_ = file_left_ != 0;
  return file_awaited_ ? FileState::kPending : file_short_ ? FileState::kShort : FileState::kSent;
}

void Connection::send_file_bytes() {
  std::uint64_t turn = kFileTurn;
  while (file_left_ != 0 && turn != 0) {
    auto offset = static_cast<off_t>(file_offset_);
    const ssize_t count = sendfile(fd_, file_, &offset, static_cast<std::size_t>(std::min(file_left_, turn)));
    if (count > 0) {
      served_ = true;
      loop_.traffic().sent.add(static_cast<std::uint64_t>(count));
      file_offset_ += static_cast<std::uint64_t>(count);
      file_left_ -= static_cast<std::uint64_t>(count);
      turn -= static_cast<std::uint64_t>(count);
    } else if (count < 0 && errno == EAGAIN) {
      return;
    } else if (count < 0 && blames_socket(errno)) {
      close();
      return;
    } else if (count == 0 || errno != EINTR) {
      file_short_ = true;
      file_left_ = 0;
    }
  }
}

bool Connection::send_shared(const SharedBytes& part) {
  if (unsent() || fd_ == kInMemory) {
    return queue_shared(part) && flush();
  }
  const ssize_t count = SocketCalls::transmit(fd_, part.bytes.data(), part.bytes.size(), 0);
  if (count < 0 && errno != EAGAIN && errno != EINTR) {
    close();
    return false;
  }
  const auto sent = static_cast<std::size_t>(std::max<ssize_t>(count, 0));
  if (sent != 0) {
    served_ = true;
    loop_.traffic().sent.add(sent);
  }
  if (sent == part.bytes.size()) {
    return true;
  }
  if (!queue_shared({part.owner, part.bytes.substr(sent)})) {
    return false;
  }
  writing_ = true;
  update_interest();
  note_progress(true);
  return true;
}

bool Connection::queue_shared(const SharedBytes& part) {
  if (state_ != State::kOpen) {
    return false;
  }
  if (output_.size() + shared_left() + part.bytes.size() > watermark_) {
    close();
    return false;
  }
  if (shared_ == nullptr) {
    shared_ = std::make_unique<SharedQueue>();
  }
  shared_->push(part);
  return true;
}

// As much as the socket takes. False when the connection broke (and closed).
bool Connection::send_shared_bytes() {
  static constexpr std::size_t kParts = 16;
  while (shared_ != nullptr && output_.empty() && file_left_ == 0) {
    iovec vectors[kParts];
    const auto filled = shared_->fill(vectors);
    msghdr message{};
    message.msg_iov = filled.data();
    message.msg_iovlen = filled.size();
    const ssize_t count = sendmsg(fd_, &message, MSG_NOSIGNAL);
    if (count >= 0) {
      served_ = true;
      loop_.traffic().sent.add(static_cast<std::uint64_t>(count));
      shared_->consume(static_cast<std::size_t>(count));
      if (shared_->size() == 0) {
        shared_.reset();
      }
    } else if (errno == EAGAIN) {
      return true;
    } else if (errno != EINTR) {
      close();
      return false;
    }
  }
  return true;
}

// Output that waits must move within the write timeout.
void Connection::note_progress(bool progress) {
  if (!unsent()) {
    write_deadline_ = kNoDeadline;
  } else if (progress || write_deadline_ == kNoDeadline) {
    write_deadline_ = monotonic_coarse_ms() + write_timeout_;
    expect_timer(write_deadline_);
  }
}

bool Connection::has_unread() const {
  int count = 0;
  return ioctl(fd_, FIONREAD, &count) == 0 && count > 0;
}

void Connection::set_reading(bool reading) {
  if (state_ == State::kOpen) {
    reading_ = reading;
    update_interest();
  }
}

void Connection::on_timer() try {
  const Milliseconds now = loop_.timers().now();
  const Milliseconds next = std::min(deadline_, write_deadline_);
  if (next == kNoDeadline) {
    return;
  }
  if (now < next) {
    loop_.timers().add(timer_, next);
  } else if (now >= write_deadline_ || state_ == State::kLingering) {
    close();
  } else if (state_ == State::kFlushing) {
    deadline_ = kNoDeadline;  // only the write timeout counts on the way out
    on_timer();
  } else {
    deadline_ = kNoDeadline;
    handler_->on_deadline(*this);
  }
} catch (const std::bad_alloc&) {
  close();
}

void Connection::close_gracefully() {
  if (state_ != State::kOpen) {
    return;
  }
  state_ = State::kFlushing;
  input_.release();
  reading_ = true;
  update_interest();
  if (flush() && state_ == State::kFlushing && !unsent()) {
    begin_linger();
  }
}

void Connection::begin_linger() {
  if (half_closed_) {
    close();
    return;
  }
  state_ = State::kLingering;
  shutdown(fd_, SHUT_WR);
  set_deadline(monotonic_coarse_ms() + kLinger);
}

void Connection::close() {
  if (state_ == State::kClosed) {
    return;
  }
  state_ = State::kClosed;
  watch_.set(fd_, 0);
  timer_.cancel();
  if (other_end_ != nullptr) {
    other_end_->on_closed();
  }
  ::close(fd_);
  input_.release();
  output_.release();
  shared_.reset();
  handler_->on_closed(*this);
  loop_.bury(*this);
}

}  // namespace perigee::net
