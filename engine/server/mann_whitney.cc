#include "server/mann_whitney.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

namespace perigee::server {
namespace {

/// What the ranks of two samples come to.
struct Ranks {
  double u = 0;         // of the first sample: pairs in which its value is the larger one; ties count a half
  double tie_term = 0;  // the sum of t^3 - t over groups of t equal values
};

Ranks ranks_of(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<std::pair<double, bool>> all;
  for (const double value : a) {
    all.emplace_back(value, true);
  }
  for (const double value : b) {
    all.emplace_back(value, false);
  }
  std::sort(all.begin(), all.end());
  Ranks ranks;
  double sum = 0;  // of the first sample's ranks
  for (std::size_t i = 0; i < all.size();) {
    std::size_t end = i;
    std::size_t own = 0;
    for (; end < all.size() && all[end].first == all[i].first; ++end) {
      own += all[end].second ? 1 : 0;
    }
    const auto tied = static_cast<double>(end - i);
    const double rank = static_cast<double>(i + end + 1) / 2;  // the mean of i + 1 to end
    sum += rank * static_cast<double>(own);
    ranks.tie_term += tied * tied * tied - tied;
    i = end;
  }
  const auto n = static_cast<double>(a.size());
  ranks.u = sum - n * (n + 1) / 2;
  return ranks;
}

// P(U <= u) of samples of n and m values without ties, by counting the arrangements that come to each U.
double exact_below(std::size_t n, std::size_t m, std::size_t u) {
  // ways[i][v]: arrangements of i values of one sample among j of the other whose U is v. The largest value of all is
  // either of the first sample, and above all j, or of the other.
  std::vector<std::vector<double>> ways(n + 1, std::vector<double>(n * m + 1, 0));
  for (auto& of_size : ways) {
    of_size[0] = 1;
  }
  for (std::size_t j = 1; j <= m; ++j) {
    for (std::size_t i = 1; i <= n; ++i) {
      for (std::size_t v = n * m; v >= j; --v) {
        ways[i][v] += ways[i - 1][v - j];
      }
    }
  }
  double below = 0;
  double all = 0;
  for (std::size_t v = 0; v <= n * m; ++v) {
    all += ways[n][v];
    below += v <= u ? ways[n][v] : 0;
  }
  return below / all;
}

double normal_p(double u, double n, double m, double tie_term) {
  const double mean = n * m / 2;
  const double count = n + m;
  const double variance = n * m / 12 * (count + 1 - tie_term / (count * (count - 1)));
  if (variance <= 0) {
    return 1;
  }
  const double z = std::max(0.0, std::abs(u - mean) - 0.5) / std::sqrt(variance);
  return std::min(1.0, std::erfc(z / std::sqrt(2.0)));
}

}  // namespace

double mann_whitney_p(const std::vector<double>& a, const std::vector<double>& b) {
  constexpr std::size_t kMostExact = 50;
  if (a.empty() || b.empty()) {
    return 1;
  }
  const Ranks ranks = ranks_of(a, b);
  if (ranks.tie_term > 0 || a.size() > kMostExact || b.size() > kMostExact) {
    return normal_p(ranks.u, static_cast<double>(a.size()), static_cast<double>(b.size()), ranks.tie_term);
  }
  const double smaller = std::min(ranks.u, static_cast<double>(a.size() * b.size()) - ranks.u);
  return std::min(1.0, 2 * exact_below(a.size(), b.size(), static_cast<std::size_t>(smaller)));
}

}  // namespace perigee::server
