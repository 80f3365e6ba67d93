#include "net/connection_set.h"

#include <catch2/catch.hpp>
#include <vector>

#include "net/memory_peer.h"

using namespace perigee;
using namespace perigee::net;

namespace {

class Deaf final : public ConnectionHandler {
 public:
  void on_data(Connection&) override {}
  void on_half_close(Connection&) override {}
  void on_drained(Connection&) override {}
  void on_file_sent(Connection&, bool) override {}
  void on_deadline(Connection&) override {}
  void on_closed(Connection&) override {}
};

// Connections that nobody is at the other end of.
struct Three {
  EventLoop loop;
  Deaf deaf;
  std::vector<Connection*> all;

  Three() {
    for (int i = 0; i < 3; ++i) {
      all.push_back(&Connection::adopt(loop, Connection::kInMemory, {}, deaf));
    }
  }
  ~Three() {
    for (Connection* connection : all) {
      connection->close();
    }
    loop.run_leftovers();
  }
};

}  // namespace

TEST_CASE("connection set: it has what was put in, until that is taken out") {
  Three three;
  ConnectionSet set;
  CHECK(set.empty());
  for (Connection* connection : three.all) {
    set.make_room();
    set.insert(*connection);
  }
  CHECK(set.size() == 3);
  CHECK(set.all() == three.all);
  for (int first = 0; first < 3; ++first) {
    Connection& one = *three.all[static_cast<std::size_t>(first)];
    CHECK(set.erase(one));
    CHECK_FALSE(set.contains(one));
    CHECK_FALSE(set.erase(one));
    CHECK(set.size() == 2);
    set.insert(one);
    CHECK(set.contains(one));
  }
}

TEST_CASE("connection set: one that is in another set is not in this one") {
  Three three;
  ConnectionSet here;
  ConnectionSet there;
  here.insert(*three.all[0]);
  there.insert(*three.all[1]);
  CHECK_FALSE(here.contains(*three.all[1]));
  CHECK_FALSE(here.erase(*three.all[1]));
  CHECK_FALSE(here.contains(*three.all[2]));
  CHECK(there.contains(*three.all[1]));
}

TEST_CASE("connection set: what all() gave stays when members go") {
  Three three;
  ConnectionSet set;
  for (Connection* connection : three.all) {
    set.insert(*connection);
  }
  for (Connection* connection : set.all()) {
    CHECK(set.erase(*connection));
  }
  CHECK(set.empty());
}
