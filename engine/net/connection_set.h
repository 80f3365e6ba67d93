#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "net/connection.h"

namespace perigee::net {

/// Connections of one owner. Each knows its place, so that coming and going costs neither memory nor a search. It does
/// not own them. A connection is in one set at most. Loop thread only.
class ConnectionSet {
 public:
  /// Makes room for one more, so that its insert() can't fail.
  void make_room() {
    if (members_.size() == members_.capacity()) {
      members_.reserve(std::max<std::size_t>(16, members_.capacity() * 2));
    }
  }

  /// REQUIRES: it is in no set.
  void insert(Connection& connection) {
    connection.place_ = members_.size();
    members_.push_back(&connection);
  }

  /// Takes it out; false when it is not in here. The order of the others changes.
  bool erase(Connection& connection) {
    if (!contains(connection)) {
      return false;
    }
    members_.back()->place_ = connection.place_;
    members_[connection.place_] = members_.back();
    members_.pop_back();
    return true;
  }

  /// REQUIRES: it was not destroyed.
  [[nodiscard]] bool contains(const Connection& connection) const {
    return connection.place_ < members_.size() && members_[connection.place_] == &connection;
  }

  [[nodiscard]] std::size_t size() const { return members_.size(); }
  [[nodiscard]] bool empty() const { return members_.empty(); }

  /// All of them now: what is done to one may change the set.
  [[nodiscard]] std::vector<Connection*> all() const { return members_; }

 private:
  std::vector<Connection*> members_;
};

}  // namespace perigee::net
