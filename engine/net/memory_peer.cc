#include "net/memory_peer.h"

#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <new>
#include <utility>

namespace perigee::net {

MemoryPeer::MemoryPeer(Connection& connection) : connection_(&connection) {
  connection.other_end_ = this;
}

MemoryPeer::~MemoryPeer() {
  hang_up();
}

bool MemoryPeer::send(std::string_view bytes) try {
  if (connection_ == nullptr) {
    return false;
  }
  if (connection_->open()) {
    connection_->input_.append(bytes);
    connection_->handler_->on_data(*connection_);
  }
  if (connection_ != nullptr) {
    connection_->input_.release_if_empty();
  }
  return true;
} catch (const std::bad_alloc&) {
  hang_up();
  return false;
}

void MemoryPeer::receive(std::string& out) {
  out.append(std::exchange(last_, {}));
  if (connection_ == nullptr) {
    return;
  }
  Connection& from = *connection_;
  const bool was_congested = from.congested();
  take_output(out);
  if (was_congested && from.open()) {
    from.handler_->on_drained(from);
  }
  if (connection_ != nullptr && from.file_awaited_ && from.open()) {
    from.file_awaited_ = false;
    from.handler_->on_file_sent(from, !from.file_short_);
  }
  if (connection_ != nullptr && !from.open() && !from.unsent()) {
    from.close();
  }
}

void MemoryPeer::take_output(std::string& out) {
  Connection& from = *connection_;
  if (!from.output_.empty()) {
    from.served_ = true;
    out.append(from.output_.readable());
    from.output_.consume(from.output_.size());
  }
  from.output_.release_if_empty();
  if (from.file_left_ != 0) {
    take_file(out);
  }
  take_shared(out);
}

void MemoryPeer::take_shared(std::string& out) {
  std::unique_ptr<SharedQueue>& shared = connection_->shared_;
  while (shared != nullptr) {
    std::array<iovec, 16> vectors{};
    std::size_t size = 0;
    for (const iovec& part : shared->fill(vectors)) {
      out.append(static_cast<const char*>(part.iov_base), part.iov_len);
      size += part.iov_len;
    }
    shared->consume(size);
    if (shared->size() == 0) {
      shared.reset();
    }
  }
}

void MemoryPeer::take_file(std::string& out) {
  Connection& from = *connection_;
  std::array<char, 64 * 1024> bytes{};
  while (from.file_left_ != 0) {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(from.file_left_, bytes.size()));
    const ssize_t count = pread(from.file_, bytes.data(), wanted, static_cast<off_t>(from.file_offset_));
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count <= 0) {
      from.file_short_ = true;
      from.file_left_ = 0;
      return;
    }
    out.append(bytes.data(), static_cast<std::size_t>(count));
    from.file_offset_ += static_cast<std::uint64_t>(count);
    from.file_left_ -= static_cast<std::uint64_t>(count);
  }
}

void MemoryPeer::finish_sending() {
  if (connection_ != nullptr && connection_->open() && !connection_->half_closed_) {
    connection_->half_closed_ = true;
    connection_->handler_->on_half_close(*connection_);
  }
}

void MemoryPeer::hang_up() {
  if (connection_ != nullptr) {
    connection_->close();
  }
}

// What stands in the output would be with the kernel by now.
void MemoryPeer::on_closed() try {
  last_.append(connection_->output_.readable());
  take_shared(last_);
  connection_ = nullptr;
} catch (const std::bad_alloc&) {
  connection_ = nullptr;
}

}  // namespace perigee::net
