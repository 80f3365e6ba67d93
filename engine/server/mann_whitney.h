#pragma once

#include <vector>

namespace perigee::server {

/// The probability that two samples of one distribution differ in their ranks at least as much as these do: the
/// two-sided p-value of the Mann-Whitney U test (Mann and Whitney, "On a Test of Whether one of Two Random Variables is
/// Stochastically Larger than the Other", 1947). Exact without ties up to 50 values each, else by the normal
/// approximation, corrected for ties and continuity. 1 where either sample is empty or all values are the same.
[[nodiscard]] double mann_whitney_p(const std::vector<double>& a, const std::vector<double>& b);

}  // namespace perigee::server
