#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/log.h"

namespace perigee::server {

/// Logs events of a kind that a stranger can cause at will: one a second, and how many were left out since. One thread.
class OccasionalNote {
 public:
  void write(LogLevel level, std::string_view message, Milliseconds now);

 private:
  static constexpr Milliseconds kPause = 1000;

  Milliseconds next_ = 0;
  std::size_t left_out_ = 0;
};

}  // namespace perigee::server
