#pragma once

#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>

namespace perigee::net {

/// recv() and send() without what the C library puts around them: they are points of cancellation there, which costs
/// some forty instructions a call in a program with threads, and nothing here is ever cancelled. errno is set alike.
class SocketCalls {
 public:
  static ssize_t receive(int descriptor, char* bytes, std::size_t size) {
    return call(SYS_recvfrom, descriptor, bytes, size, 0);
  }

  /// Raises no SIGPIPE.
  static ssize_t transmit(int descriptor, const char* bytes, std::size_t size, int flags) {
    return call(SYS_sendto, descriptor, bytes, size, MSG_NOSIGNAL | flags);
  }

 private:
  // Both take an address and its size last, which connected sockets have no need of.
  [[gnu::always_inline]] static ssize_t call(long number, int descriptor, const void* bytes, std::size_t size,
                                             long flags) {
#if defined(__x86_64__)
    register long fourth asm("r10") = flags;
    register long fifth asm("r8") = 0;
    register long sixth asm("r9") = 0;
    long result = number;
    asm volatile("syscall"
                 : "+a"(result)
                 : "D"(static_cast<long>(descriptor)), "S"(bytes), "d"(size), "r"(fourth), "r"(fifth), "r"(sixth)
                 : "rcx", "r11", "memory");
    if (result < 0) [[unlikely]] {
      errno = static_cast<int>(-result);
      return -1;
    }
    return result;
#else
    return syscall(number, descriptor, bytes, size, flags, nullptr, nullptr);
#endif
  }
};

}  // namespace perigee::net
