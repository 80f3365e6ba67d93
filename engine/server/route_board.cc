#include "server/route_board.h"

#include <algorithm>
#include <utility>

#include "base/ticks.h"

namespace perigee::server {
namespace {

using profiler::HistogramSum;
using profiler::RouteLatencies;

struct Counted {
  std::size_t number = 0;
  HistogramSum sum;
  std::uint64_t client_errors = 0;
  std::uint64_t errors = 0;
};

Counted count(const std::vector<std::unique_ptr<Worker>>& workers, std::size_t number) {
  Counted counted;
  counted.number = number;
  for (const auto& worker : workers) {
    const RouteLatencies* route = worker->meter().find(number);
    for (std::size_t digit = 0; route != nullptr && digit < RouteLatencies::kClasses; ++digit) {
      if (const profiler::Histogram* histogram = route->find(digit); histogram != nullptr) {
        const std::uint64_t before = counted.sum.count();
        histogram->add_to(counted.sum);
        const std::uint64_t more = counted.sum.count() - before;
        counted.client_errors += digit == 4 ? more : 0;
        counted.errors += digit == 5 ? more : 0;
      }
    }
  }
  return counted;
}

RouteBoard::Latencies latencies_of(const HistogramSum& sum) {
  const double unit = seconds_per_tick();
  return {sum.count(), sum.quantile(0.5) * unit, sum.quantile(0.9) * unit, sum.quantile(0.99) * unit};
}

}  // namespace

RouteBoard::Board RouteBoard::look(const std::vector<std::unique_ptr<Worker>>& workers,
                                   const profiler::RouteNames& names, double now) {
  const std::vector<profiler::RouteNames::Name> routes = names.all();
  Board board;
  HistogramSum all;
  std::vector<Counted> counts;
  for (std::size_t number = 0; number < routes.size(); ++number) {
    Counted counted = count(workers, number);
    if (counted.sum.count() == 0) {
      continue;
    }
    all.add(counted.sum);
    board.client_errors += counted.client_errors;
    board.errors += counted.errors;
    counts.push_back(std::move(counted));
  }
  board.routes = counts.size();
  board.requests = all.count();
  board.latencies = latencies_of(whole_.recent(all, now));
  const std::size_t shown = std::min(counts.size(), kMost);
  std::partial_sort(counts.begin(), counts.begin() + static_cast<std::ptrdiff_t>(shown), counts.end(),
                    [](const Counted& one, const Counted& other) {
                      return std::pair(other.sum.count(), one.number) < std::pair(one.sum.count(), other.number);
                    });
  for (std::size_t i = 0; i < shown; ++i) {
    const Counted& counted = counts[i];
    const HistogramSum recent = window_of(counted.number, now).recent(counted.sum, now);
    const bool any = recent.count() > 0;
    board.rows.push_back({routes[counted.number].method, routes[counted.number].pattern, counted.sum.count(),
                          counted.client_errors, counted.errors, any, latencies_of(any ? recent : counted.sum)});
  }
  looked_ = now;
  return board;
}

// All that a route has counted which was not there a moment ago came since then.
profiler::LatencyWindow& RouteBoard::window_of(std::size_t route, double now) {
  const auto [found, made] = windows_.try_emplace(route, kSpan);
  if (made && looked_ >= 0 && now - looked_ < kSpan) {
    (void)found->second.recent({}, looked_);
  }
  return found->second;
}

}  // namespace perigee::server
