#include "net/poller.h"

#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <functional>
#include <memory>
#include <new>
#include <vector>

using perigee::net::Poller;
using perigee::net::Watch;

namespace {

// Both ends of a socket; what is told of the first is kept.
class Watched {
 public:
  explicit Watched(Poller& poller) : watch_(std::make_unique<OwnWatch>(poller, *this)) {
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends_) == 0);
  }
  ~Watched() {
    drop();
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  Watched(const Watched&) = delete;
  Watched& operator=(const Watched&) = delete;

  void set(Watch::Events events) { watch_->set(ends_[0], events); }
  void send() { REQUIRE(::send(ends_[1], "x", 1, 0) == 1); }
  void hang_up() { shutdown(ends_[1], SHUT_RDWR); }
  void drop() {
    if (watch_ != nullptr) {
      set(0);
      watch_.reset();
    }
  }
  [[nodiscard]] bool found() const { return watch_->found(); }
  [[nodiscard]] Watch::Events events() const { return watch_->events(); }

  std::vector<Watch::Events> told;
  std::function<void()> then;  // follows what is told

 private:
  void on_events(Watch::Events events) {
    told.push_back(events);
    if (then) {
      then();
    }
  }
  using OwnWatch = perigee::net::WatchOf<Watched, &Watched::on_events>;

  int ends_[2] = {-1, -1};
  std::unique_ptr<OwnWatch> watch_;
};

using Told = std::vector<Watch::Events>;

}  // namespace

TEST_CASE("poller: tells what is watched for, as long as it is there") {
  Poller poller;
  Watched one(poller);
  one.set(Watch::kRead);
  poller.poll(0);
  CHECK(one.told.empty());
  one.send();
  poller.poll(0);
  poller.poll(Poller::kForever);
  CHECK(one.told == Told{Watch::kRead, Watch::kRead});
  one.set(Watch::kRead | Watch::kWrite);
  poller.poll(0);
  CHECK(one.told.back() == (Watch::kRead | Watch::kWrite));
  one.set(Watch::kWrite);
  poller.poll(0);
  CHECK(one.told.back() == Watch::kWrite);
  one.set(0);
  poller.poll(0);
  CHECK(one.told.size() == 4);
}

TEST_CASE("poller: a peer that is gone counts as all that is watched for, and as nothing where nothing is") {
  Poller poller;
  Watched one(poller);
  const Watch::Events wanted =
      GENERATE(values<Watch::Events>({Watch::kRead, Watch::kWrite, Watch::kRead | Watch::kWrite}));
  one.set(wanted);
  one.hang_up();
  poller.poll(0);
  CHECK(one.told == Told{wanted});
  one.set(0);
  poller.poll(0);
  CHECK(one.told.size() == 1);
}

TEST_CASE("poller: what a callback makes of other watches holds at once") {
  Poller poller;
  Watched first(poller);
  Watched second(poller);
  Watched* const both[] = {&first, &second};
  for (Watched* one : both) {
    one->set(Watch::kRead | Watch::kWrite);
    one->send();
  }
  const auto other_of = [&](std::size_t i) { return both[1 - i]; };
  SECTION("destroyed, it is not told") {
    for (std::size_t i = 0; i < 2; ++i) {
      both[i]->then = [&, i] { other_of(i)->drop(); };
    }
    poller.poll(0);
    CHECK(first.told.size() + second.told.size() == 1);
  }
  SECTION("it is told what it is watched for then") {
    for (std::size_t i = 0; i < 2; ++i) {
      both[i]->then = [&, i] {
        if (other_of(i)->told.empty()) {
          CHECK(other_of(i)->found());
          other_of(i)->set(Watch::kWrite);
        }
        CHECK_FALSE(both[i]->found());
      };
    }
    poller.poll(0);
    CHECK(first.told.size() == 1);
    CHECK(second.told.size() == 1);
    CHECK(first.told[0] + second.told[0] == (Watch::kRead | Watch::kWrite) + Watch::kWrite);
  }
  SECTION("it may destroy itself") {
    first.then = [&] { first.drop(); };
    poller.poll(0);
    poller.poll(0);
    CHECK(first.told.size() == 1);
    CHECK(second.told.size() == 2);
  }
}

TEST_CASE("poller: a look within a callback takes nothing away") {
  Poller poller;
  Watched first(poller);
  Watched second(poller);
  bool looked = false;
  for (Watched* one : {&first, &second}) {
    one->set(Watch::kRead);
    one->send();
    one->then = [&] {
      if (!looked) {
        looked = true;
        poller.poll(0);
      }
    };
  }
  poller.poll(0);
  CHECK(first.told.size() + second.told.size() == 3);
}

TEST_CASE("poller: more than fit into one look are told by the next") {
  Poller poller;
  std::vector<std::unique_ptr<Watched>> many;
  for (int i = 0; i < 300; ++i) {
    many.push_back(std::make_unique<Watched>(poller));
    many.back()->set(Watch::kWrite);
  }
  for (int i = 0; i < 3; ++i) {
    poller.poll(0);
  }
  for (const auto& one : many) {
    CHECK(one->told.size() >= 1);
  }
}

TEST_CASE("poller: what can't be watched is refused, and not watched") {
  Poller poller;
  struct Owner {
    void on_events(Watch::Events /*events*/) {}
  } owner;
  perigee::net::WatchOf<Owner, &Owner::on_events> watch(poller, owner);
  CHECK_THROWS_AS(watch.set(-1, Watch::kRead), std::bad_alloc);
  CHECK(watch.events() == 0);
}
