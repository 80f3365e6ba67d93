#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <new>
#include <vector>

namespace perigee::state {

/// What a Node of LinearBuckets has.
template <typename Node>
struct BucketLink {
  std::uint64_t hash = 0;
  Node* next = nullptr;
  Node* previous = nullptr;
};

/// A hash table of nodes that belong to somebody else. It grows by one bucket a node, whose nodes it moves there from
/// one other bucket, so that no insertion ever costs more than another ("linear hashing", Litwin 1980). Without memory
/// it does not grow; nothing fails. One thread at a time.
template <typename Node>
class LinearBuckets {
 public:
  LinearBuckets() : heads_(1, nullptr) {}

  /// REQUIRES: node.hash is set, and stays while the node is here.
  void insert(Node& node) noexcept {
    grow();
    link(node, index_of(node.hash));
    ++count_;
  }

  void remove(Node& node) noexcept {
    unlink(node, index_of(node.hash));
    --count_;
  }

  /// The first of the nodes that may have that hash; the others hang on its `next`.
  [[nodiscard]] Node* first(std::uint64_t hash) const { return heads_[index_of(hash)]; }

  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] std::size_t buckets() const { return heads_.size(); }
  [[nodiscard]] Node* bucket(std::size_t index) const { return heads_[index]; }

 private:
  [[nodiscard]] std::size_t index_of(std::uint64_t hash) const {
    const std::size_t half = std::bit_floor(heads_.size());
    const std::size_t index = hash & (2 * half - 1);
    return index < heads_.size() ? index : index - half;
  }

  void link(Node& node, std::size_t index) {
    node.previous = nullptr;
    node.next = heads_[index];
    if (node.next != nullptr) {
      node.next->previous = &node;
    }
    heads_[index] = &node;
  }

  void unlink(Node& node, std::size_t index) {
    if (node.next != nullptr) {
      node.next->previous = node.previous;
    }
    (node.previous != nullptr ? node.previous->next : heads_[index]) = node.next;
  }

  void grow() noexcept {
    if (count_ < heads_.size()) {
      return;
    }
    try {
      heads_.push_back(nullptr);
    } catch (const std::bad_alloc&) {
      return;
    }
    const std::size_t added = heads_.size() - 1;
    const std::size_t from = added - std::bit_floor(added);
    for (Node* node = heads_[from]; node != nullptr;) {
      Node* next = node->next;
      if (index_of(node->hash) == added) {
        unlink(*node, from);
        link(*node, added);
      }
      node = next;
    }
  }

  std::vector<Node*> heads_;
  std::size_t count_ = 0;
};

}  // namespace perigee::state
