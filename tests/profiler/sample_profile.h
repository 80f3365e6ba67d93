#pragma once

#include "profiler/profile.h"

namespace perigee::profiler {

/// One type of value, for profiles that only count.
inline std::vector<ValueType> counts() {
  return {{"n", "count"}};
}

/// Two workers: a handler's line 3 on both, once below a native function, and the collector on one.
inline Profile sample_profile() {
  Profile profile({{"samples", "count"}, {"cpu", "nanoseconds"}});
  profile.started = 1'700'000'000'000'000'000;
  profile.duration = 1'000'000'000;
  profile.period = 10'000'000;
  const std::uint32_t serve = profile.frame({"Worker::serve", "", 0, 0, FrameKind::kNative});
  const std::uint32_t line3 = profile.frame({"handler", "app.lua", 3, 2, FrameKind::kLua});
  const std::uint32_t line4 = profile.frame({"handler", "app.lua", 4, 2, FrameKind::kLua});
  const std::uint32_t gc = profile.frame({"[garbage collection]", "", 0, 0, FrameKind::kState});
  const std::uint32_t one = profile.labels({{"worker", "worker-1"}, {"route", "GET /"}});
  const std::uint32_t two = profile.labels({{"worker", "worker-2"}, {"route", "GET /"}});
  const std::vector<std::int64_t> once = {1, 10'000'000};
  profile.add(std::vector<std::uint32_t>{line3, serve}, one, once);
  profile.add(std::vector<std::uint32_t>{line3, serve}, one, once);
  profile.add(std::vector<std::uint32_t>{line3, serve}, two, once);
  profile.add(std::vector<std::uint32_t>{gc, line4, serve}, two, once);
  return profile;
}

}  // namespace perigee::profiler
