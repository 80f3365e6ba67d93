#include "profiler/slow_requests.h"

#include <algorithm>
#include <utility>

namespace perigee::profiler {
namespace {

bool faster(const SlowRequest& one, const SlowRequest& other) {
  return one.latency < other.latency;
}

}  // namespace

void SlowRequests::add(SlowRequest request) {
  forget(request.time);
  if (!takes(request.latency)) {
    return;
  }
  if (kept_.size() < kMost) {
    kept_.push_back(std::move(request));
  } else {
    *std::min_element(kept_.begin(), kept_.end(), faster) = std::move(request);
  }
  raise();
}

void SlowRequests::forget(double now) {
  std::erase_if(kept_, [now](const SlowRequest& request) { return request.time + kKept < now; });
  raise();
}

void SlowRequests::raise() {
  threshold_ = kept_.size() < kMost ? least_ : std::min_element(kept_.begin(), kept_.end(), faster)->latency;
}

}  // namespace perigee::profiler
