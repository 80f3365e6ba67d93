#include "server/mann_whitney.h"

#include <catch2/catch.hpp>

using perigee::server::mann_whitney_p;
using List = std::vector<double>;

TEST_CASE("mann-whitney: small samples without ties have the exact probabilities of the tables") {
  // P(U <= u) for n and m, from Mann and Whitney's tables (1947), doubled.
  CHECK(mann_whitney_p({1, 2, 3}, {4, 5, 6}) == Approx(0.1));                               // U = 0: 1 of 20
  CHECK(mann_whitney_p({1, 2, 4}, {3, 5, 6}) == Approx(0.2));                               // U = 1: 2 of 20
  CHECK(mann_whitney_p({1, 2, 3, 4}, {5, 6, 7, 8}) == Approx(2.0 / 70));                    // U = 0: 1 of 70
  CHECK(mann_whitney_p({1, 2, 3, 4, 5}, {6, 7, 8, 9, 10}) == Approx(2.0 / 252));            // U = 0: 1 of 252
  CHECK(mann_whitney_p({1, 2, 3, 4, 7}, {5, 6, 8, 9, 10}) == Approx(0.0317).margin(1e-4));  // U = 2: 4 of 252
  CHECK(mann_whitney_p({1, 4}, {2, 3}) == 1);
  CHECK(mann_whitney_p({1}, {2, 3, 4}) == Approx(0.5));
}

TEST_CASE("mann-whitney: it does not matter which sample comes first") {
  const List a = {1, 5, 7, 9};
  const List b = {2, 3, 4, 6, 8};
  CHECK(mann_whitney_p(a, b) == Approx(mann_whitney_p(b, a)));
}

TEST_CASE("mann-whitney: ties go by the normal approximation with its corrections") {
  // The same as R's wilcox.test(c(1,2,2,3), c(2,4,5,6))$p.value
  CHECK(mann_whitney_p({1, 2, 2, 3}, {2, 4, 5, 6}) == Approx(0.1038).margin(1e-4));
  CHECK(mann_whitney_p({5, 5, 5}, {5, 5, 5}) == 1);
  CHECK(mann_whitney_p({}, {1}) == 1);
}
