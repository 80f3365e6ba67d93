#include "base/thread_stack.h"

#include <pthread.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdint>

namespace perigee {
namespace {

struct Bounds {
  std::uintptr_t lowest = 0;
  std::size_t size = 0;
};

Bounds bounds_of_this_thread() {
  Bounds bounds;
  pthread_attr_t attributes;
  if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
    void* lowest = nullptr;
    pthread_attr_getstack(&attributes, &lowest, &bounds.size);
    bounds.lowest = reinterpret_cast<std::uintptr_t>(lowest);
    pthread_attr_destroy(&attributes);
  }
  return bounds;
}

}  // namespace

void set_thread_stack(std::size_t bytes) {
  rlimit limit{};
  if (getrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_cur < bytes) {
    limit.rlim_cur = std::min<rlim_t>(bytes, limit.rlim_max);
    setrlimit(RLIMIT_STACK, &limit);
  }
  pthread_attr_t attributes;
  if (pthread_getattr_default_np(&attributes) == 0) {
    if (pthread_attr_setstacksize(&attributes, bytes) == 0) {
      pthread_setattr_default_np(&attributes);
    }
    pthread_attr_destroy(&attributes);
  }
}

bool stack_is_low(std::size_t bytes) {
  thread_local const Bounds bounds = bounds_of_this_thread();
  const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  return here - bounds.lowest < (bytes < bounds.size ? bytes : bounds.size / 2);
}

std::uintptr_t stack_end() {
  const Bounds bounds = bounds_of_this_thread();
  return bounds.lowest + bounds.size;
}

}  // namespace perigee
