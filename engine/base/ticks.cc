#include "base/ticks.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace perigee {
namespace {

bool counter_is_steady() {
#if defined(__x86_64__)
  constexpr unsigned kPowerManagement = 0x80000007;
  constexpr unsigned kInvariant = 1U << 8;
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  return __get_cpuid(kPowerManagement, &a, &b, &c, &d) != 0 && (d & kInvariant) != 0;
#else
  return false;
#endif
}

// Both clocks at one moment.
struct Moment {
  Ticks count;
  std::int64_t nanoseconds;
};

Moment now() {
  return {ticks(), monotonic_ns()};
}

}  // namespace

const bool kSteadyCounter = counter_is_steady();

namespace {

const Moment kBegin = now();

double measure() {
  constexpr std::int64_t kLongEnough = 20'000'000;  // nanoseconds: reading both clocks errs by some hundred at most
  Moment end = now();
  while (end.nanoseconds - kBegin.nanoseconds < kLongEnough) {
    end = now();
  }
  return static_cast<double>(end.nanoseconds - kBegin.nanoseconds) * 1e-9 /
         static_cast<double>(end.count - kBegin.count);
}

}  // namespace

double seconds_per_tick() {
  static const double kSeconds = kSteadyCounter ? measure() : 1e-9;
  return kSeconds;
}

}  // namespace perigee
