#include "server/last_resort.h"

#include <chrono>
#include <cstdlib>
#include <system_error>
#include <utility>

namespace perigee::server {

LastResort::~LastResort() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  ended_.notify_all();
  if (thread_.joinable()) {
    thread_.join();
  }
}

void LastResort::arm(Milliseconds patience, std::function<void()> last_words) try {
  thread_ = std::thread([this, patience, last_words = std::move(last_words)] {
    std::unique_lock lock(mutex_);
    if (!ended_.wait_for(lock, std::chrono::milliseconds(patience), [this] { return over_; })) {
      last_words();
      std::_Exit(0);
    }
  });
} catch (const std::system_error&) {
  return;  // no thread to be had: the end is an orderly one or none
}

}  // namespace perigee::server
