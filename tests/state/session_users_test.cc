#include "state/session_users.h"

#include <catch2/catch.hpp>
#include <deque>
#include <string>

using perigee::state::Session;
using perigee::state::SessionRef;
using perigee::state::SessionUsers;
using perigee::state::UserLink;

TEST_CASE("session users: a session is in the list of one user, or in none") {
  SessionUsers users;
  std::deque<UserLink> links(300);
  std::deque<SessionRef> held;
  for (std::size_t i = 0; i < links.size(); ++i) {
    held.emplace_back(new Session(i + 1));
    links[i].session = held.back().get();
    users.move(links[i], "user" + std::to_string(i % 100));
  }
  CHECK(users.of("user7").size() == 3);
  users.move(links[7], "user7");
  users.move(links[107], "user8");
  CHECK(users.of("user7").size() == 2);
  CHECK(users.of("user8").size() == 4);
  for (UserLink& link : links) {
    users.move(link, "");
  }
  CHECK(users.of("user7").empty());
  CHECK(users.of("").empty());
}
