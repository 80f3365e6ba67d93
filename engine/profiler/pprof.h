#pragma once

#include <string>

#include "base/result.h"
#include "profiler/profile.h"

namespace perigee::profiler {

/// A profile as `go tool pprof` reads it: the message perftools.profiles.Profile of pprof's profile.proto, in gzip.
/// Fails when there is no memory to compress it.
[[nodiscard]] Result<std::string> write_pprof(const Profile& profile);

}  // namespace perigee::profiler
