#include "state/rate_limiter.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <thread>
#include <vector>

using perigee::state::Rate;
using perigee::state::RateLimiter;

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kStart = 1'000 * kSecond;

// It holds a lock a shard: too large for a stack that others share.
std::unique_ptr<RateLimiter> limiter() {
  return std::make_unique<RateLimiter>();
}

}  // namespace

TEST_CASE("rate limiter: a burst passes, then one every interval") {
  const auto limits = limiter();
  const Rate rate{kSecond, 3};
  for (const int left : {2, 1, 0}) {
    const auto verdict = limits->take("a", rate, kStart);
    CHECK(verdict.allowed);
    CHECK(verdict.remaining == left);
    CHECK(verdict.reset == (3 - left) * kSecond);
    CHECK(verdict.retry == 0);
  }
  const auto refused = limits->take("a", rate, kStart);
  CHECK_FALSE(refused.allowed);
  CHECK(refused.remaining == 0);
  CHECK(refused.retry == kSecond);
  CHECK(refused.reset == 3 * kSecond);
  CHECK(limits->take("a", rate, kStart + kSecond - 1).retry == 1);
  CHECK(limits->take("a", rate, kStart + kSecond).allowed);
  CHECK_FALSE(limits->take("a", rate, kStart + kSecond).allowed);
}

TEST_CASE("rate limiter: what was refused costs nothing, and a pause fills the bucket but no more") {
  const auto limits = limiter();
  const Rate rate{kSecond, 2};
  for (int i = 0; i < 100; ++i) {
    (void)limits->take("a", rate, kStart);
  }
  CHECK(limits->take("a", rate, kStart + kSecond).allowed);
  const std::int64_t later = kStart + 1000 * kSecond;
  CHECK(limits->take("a", rate, later).remaining == 1);
  CHECK(limits->take("a", rate, later).allowed);
  CHECK_FALSE(limits->take("a", rate, later).allowed);
}

TEST_CASE("rate limiter: keys have nothing to do with each other, also long ones") {
  const auto limits = limiter();
  const Rate rate{kSecond, 1};
  const std::string lengthy(100'000, 'x');
  CHECK(limits->take("a", rate, kStart).allowed);
  CHECK(limits->take("b", rate, kStart).allowed);
  CHECK(limits->take("", rate, kStart).allowed);
  CHECK(limits->take(lengthy, rate, kStart).allowed);
  CHECK(limits->take(lengthy + "y", rate, kStart).allowed);
  CHECK_FALSE(limits->take(lengthy, rate, kStart).allowed);
  CHECK(limits->take(std::string("a\0b", 3), rate, kStart).allowed);
  CHECK(limits->size() == 6);
}

TEST_CASE("rate limiter: a rate that was lowered bounds what an older one had taken") {
  const auto limits = limiter();
  for (int i = 0; i < 100; ++i) {
    (void)limits->take("a", Rate{kSecond, 100}, kStart);
  }
  const auto verdict = limits->take("a", Rate{kSecond, 2}, kStart);
  CHECK_FALSE(verdict.allowed);
  CHECK(verdict.reset == 2 * kSecond);
  CHECK(limits->take("a", Rate{kSecond, 2}, kStart + kSecond).allowed);
}

TEST_CASE("rate limiter: full buckets are forgotten, and never are there more keys than its bound") {
  const auto limits = limiter();
  const Rate rate{kSecond, 2};
  std::size_t allowed = 0;
  for (std::size_t i = 0; i < 2 * RateLimiter::kMostKeys; ++i) {
    allowed += limits->take("key " + std::to_string(i), rate, kStart).allowed ? 1 : 0;
  }
  CHECK(allowed == 2 * RateLimiter::kMostKeys);
  CHECK(limits->size() <= RateLimiter::kMostKeys);
  CHECK(limits->size() > RateLimiter::kMostKeys / 2);
  const std::int64_t later = kStart + 100 * kSecond;
  for (std::size_t i = 0; i < RateLimiter::kMostKeys; ++i) {
    (void)limits->take("later " + std::to_string(i % 1000), rate, later + static_cast<std::int64_t>(i));
  }
  for (std::size_t i = 0; i < RateLimiter::kMostKeys; ++i) {
    (void)limits->take("much later " + std::to_string(i), rate, later + static_cast<std::int64_t>(i) * kSecond);
  }
  CHECK(limits->size() < RateLimiter::kMostKeys / 8);
}

TEST_CASE("rate limiter: threads together get no more than the burst") {
  const auto limits = limiter();
  std::atomic<int> allowed = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 10'000; ++i) {
        allowed += limits->take("a", Rate{kSecond, 500}, kStart).allowed ? 1 : 0;
        (void)limits->take("key " + std::to_string(i), Rate{kSecond, 5}, kStart);
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  CHECK(allowed == 500);
}
