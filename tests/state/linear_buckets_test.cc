#include "state/linear_buckets.h"

#include <catch2/catch.hpp>
#include <deque>

using perigee::state::BucketLink;
using perigee::state::LinearBuckets;

namespace {

struct Node : BucketLink<Node> {};

bool holds(const LinearBuckets<Node>& buckets, const Node& node) {
  for (const Node* other = buckets.first(node.hash); other != nullptr; other = other->next) {
    if (other == &node) {
      return true;
    }
  }
  return false;
}

}  // namespace

TEST_CASE("linear buckets: nodes are found while the table grows, and gone once removed") {
  LinearBuckets<Node> buckets;
  std::deque<Node> nodes(1000);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    nodes[i].hash = i * 0x9e3779b97f4a7c15U;
    buckets.insert(nodes[i]);
    if (i % 50 == 0) {
      for (std::size_t k = 0; k <= i; ++k) {
        REQUIRE(holds(buckets, nodes[k]));
      }
    }
  }
  CHECK(buckets.count() == 1000);
  CHECK(buckets.buckets() == 1000);
  for (std::size_t i = 0; i < nodes.size(); i += 2) {
    buckets.remove(nodes[i]);
  }
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    CHECK(holds(buckets, nodes[i]) == (i % 2 == 1));
  }
  CHECK(buckets.count() == 500);
}

TEST_CASE("linear buckets: equal hashes share a bucket") {
  LinearBuckets<Node> buckets;
  std::deque<Node> nodes(10);
  for (Node& node : nodes) {
    node.hash = 7;
    buckets.insert(node);
  }
  buckets.remove(nodes[9]);
  buckets.remove(nodes[0]);
  buckets.remove(nodes[5]);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    CHECK(holds(buckets, nodes[i]) == (i != 9 && i != 0 && i != 5));
  }
}
