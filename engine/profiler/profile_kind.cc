#include "profiler/profile_kind.h"

namespace perigee::profiler {

std::string_view word_of(ProfileKind kind) {
  switch (kind) {
    case ProfileKind::kCpu:
      return "cpu";
    case ProfileKind::kAlloc:
      return "alloc";
    case ProfileKind::kWait:
      return "wait";
    case ProfileKind::kBlock:
      return "block";
  }
  return "";
}

}  // namespace perigee::profiler
