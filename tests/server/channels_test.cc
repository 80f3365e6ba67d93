#include "server/channels.h"

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "../net/loop_fixture.h"
#include "http/response.h"
#include "script/topic_frame.h"

using perigee::net::Connection;
using perigee::server::Channels;

namespace {

/// The connections' owner, as a worker is.
struct Owner final : perigee::net::ConnectionHandler {
  void on_data(Connection&) override {}
  void on_half_close(Connection&) override {}
  void on_drained(Connection&) override {}
  void on_file_sent(Connection&, bool) override {}
  void on_deadline(Connection&) override {}
  void on_closed(Connection& connection) override {
    ++closed;
    std::erase(open, &connection);
  }
  std::vector<Connection*> open;
  int closed = 0;
};

struct Heard final : perigee::script::TopicListener {
  void on_message(const perigee::state::SharedMessage& message) noexcept override {
    text.append(message->data_text()).push_back(' ');
  }
  void on_missed() noexcept override { ++missed; }
  std::string text;
  int missed = 0;
};

std::shared_ptr<perigee::state::TopicMessage> message(std::string_view data) {
  perigee::script::TopicDraft draft;
  draft.data = data;
  return perigee::script::frame_message(draft);
}

/// The data of an event stream's events, chunks or not.
std::string data_of(const std::string& stream) {
  std::string text;
  for (std::size_t at = stream.find("data: "); at != std::string::npos; at = stream.find("data: ", at)) {
    at += 6;
    text.append(stream.substr(at, stream.find('\n', at) - at)).push_back(' ');
  }
  return text;
}

/// A worker's channels on a loop turned by hand.
class Room {
 public:
  ~Room() {
    for (Connection* connection : std::vector<Connection*>(owner.open)) {
      connection->close();
    }
    loop.run_leftovers();
  }

  /// A client of these topics; returns its peer.
  Peer& subscribe(std::vector<std::string> names, const std::string& member = "", bool chunked = true,
                  std::optional<std::string> last_id = std::nullopt, int small_buffers = 0) {
    const auto sockets = connected_sockets(small_buffers);
    Connection& connection = Connection::adopt(loop, sockets.first, {}, owner);
    owner.open.push_back(&connection);
    auto answer = std::make_unique<perigee::script::ChannelAnswer>();
    answer->topics = std::move(names);
    if (!member.empty()) {
      answer->member = {member, "\"" + member + "\""};
    }
    channels.admit({&connection, std::move(answer), std::move(last_id), chunked, {}, nullptr});
    peers.push_back(std::make_unique<Peer>(sockets.second));
    work();
    return *peers.back();
  }

  void publish(std::string_view topic, std::string_view data) { topics.publish(topic, message(data)); }

  /// Turns the loop until there is nothing to do.
  void work() {
    do {
      turn(loop);
    } while (channels.run());
    turn(loop);
    for (const auto& peer : peers) {
      (void)peer->receive();
    }
  }

  perigee::net::EventLoop loop;
  Owner owner;
  perigee::state::Topics topics;
  Channels channels{topics, loop, owner};
  std::vector<std::unique_ptr<Peer>> peers;
};

}  // namespace

TEST_CASE("channels: messages of one turn come in order, in one chunk") {
  Room room;
  Peer& peer = room.subscribe({"t"});
  const std::size_t before = peer.received().size();
  for (const char* text : {"a", "b", "c"}) {
    room.publish("t", text);
  }
  room.work();
  const std::string sent = peer.received().substr(before);
  CHECK(data_of(sent) == "a b c ");
  CHECK(std::stoul(sent, nullptr, 16) == sent.size() - sent.find('\n') - 3);  // one size says all
}

TEST_CASE("channels: clients of several topics and of HTTP/1.0 get each message once, in the order of the stamps") {
  Room room;
  Peer& several = room.subscribe({"a", "b"});
  Peer& old = room.subscribe({"b"}, "", false);
  Peer& one = room.subscribe({"a"});
  for (int i = 0; i < 6; ++i) {
    room.publish(i % 2 == 0 ? "a" : "b", std::to_string(i));
  }
  room.work();
  CHECK(data_of(several.received()) == "0 1 2 3 4 5 ");
  CHECK(data_of(old.received()) == "1 3 5 ");
  CHECK(data_of(one.received()) == "0 2 4 ");
  CHECK(old.received().find("\r\n") == std::string::npos);
}

TEST_CASE("channels: who comes between two messages of one turn gets the second only") {
  Room room;
  (void)room.subscribe({"t"});
  room.publish("t", "before");
  Peer& late = room.subscribe({"t"});  // what was published waits in the inbox still
  room.publish("t", "after");
  room.work();
  CHECK(data_of(late.received()) == "after ");
}

TEST_CASE("channels: what was missed comes first, then what is live, neither twice") {
  Room room;
  (void)room.subscribe({"t"});
  room.publish("t", "a");
  room.publish("t", "b");
  Peer& back = room.subscribe({"t"}, "", true, "0");
  room.publish("t", "c");
  room.work();
  CHECK(data_of(back.received()) == "a b c ");
}

TEST_CASE("channels: a replay that is larger than the watermark is sent all the same") {
  Room room;
  room.channels.apply({15'000, 64 * 1024});
  const std::string large(30'000, 'x');
  for (int i = 0; i < 20; ++i) {
    room.publish("t", large);
  }
  Peer& back = room.subscribe({"t"}, "", true, "0", 4096);
  REQUIRE(turn_until(room.loop, [&] { return !back.receive() || back.received().size() > 20 * large.size() + 500; }));
  room.work();
  CHECK(data_of(back.received()).size() == 20 * (large.size() + 1));
  CHECK(room.owner.closed == 0);
}

TEST_CASE("channels: a client that goes, half or whole, leaves nothing behind") {
  Room room;
  Peer& half = room.subscribe({"t"}, "half");
  Peer& whole = room.subscribe({"t", "u"}, "whole");
  CHECK(room.topics.members("t").size() == 2);
  half.finish_sending();
  whole.reset();
  REQUIRE(turn_until(room.loop, [&] { return room.owner.closed == 2; }));
  room.work();
  CHECK(room.channels.clients() == 0);
  CHECK(room.topics.members("t").empty());
  CHECK(room.topics.members("u").empty());
  room.topics.apply({0, 0, 0});
  CHECK(room.topics.size().topics == 0);
}

TEST_CASE("channels: one that goes while others are sent to costs none of them a message") {
  Room room;
  constexpr int kClients = 30;
  for (int i = 0; i < kClients; ++i) {
    (void)room.subscribe({"t"});
  }
  for (int i = 0; i < kClients; i += 2) {
    room.peers[static_cast<std::size_t>(i)]->close();  // noticed by a send at the earliest
  }
  for (int i = 0; i < 5; ++i) {
    room.publish("t", "message " + std::to_string(i));
    room.work();
  }
  REQUIRE(turn_until(room.loop, [&] { return room.owner.closed == kClients / 2; }));
  room.publish("t", "last");
  room.work();
  for (int i = 1; i < kClients; i += 2) {
    const std::string text = data_of(room.peers[static_cast<std::size_t>(i)]->received());
    CHECK(text.find("message 0 message 1 message 2 message 3 message 4 ") != std::string::npos);
    CHECK(text.ends_with("last "));
  }
}

TEST_CASE("channels: more clients than a portion are sent to over several turns, each once") {
  Room room;
  constexpr int kClients = 40;
  for (int i = 0; i < kClients; ++i) {
    (void)room.subscribe({"t"});
  }
  int turns = 0;
  const std::string large(perigee::server::Fanout::kRun, 'x');
  for (int i = 0; i < 3; ++i) {
    room.publish("t", large + std::to_string(i));
  }
  turn(room.loop);
  while (room.channels.run()) {
    ++turns;
  }
  CHECK(turns >= 2);
  room.work();
  for (const auto& peer : room.peers) {
    REQUIRE(turn_until(room.loop,
                       [&] { return data_of(peer->received()).size() == 3 * large.size() + 6 || !peer->receive(); }));
    CHECK((data_of(peer->received()) == large + "0 " + large + "1 " + large + "2 "));
  }
}

TEST_CASE("channels: functions that listen are told, until they stop") {
  Room room;
  Heard heard;
  Heard other;
  room.publish("t", "before");
  room.channels.listen(heard, "t");
  room.publish("t", "a");
  room.channels.listen(other, "t");
  room.publish("t", "b");
  room.work();
  CHECK(heard.text == "a b ");
  CHECK(other.text == "b ");
  room.publish("t", "c");
  room.channels.stop_listening(heard, "t");
  room.work();
  CHECK(heard.text == "a b ");
  CHECK(other.text == "b c ");
  room.channels.stop_listening(other, "t");
  room.channels.stop_listening(other, "nothing");
  room.topics.apply({0, 0, 0});
  CHECK(room.topics.size().topics == 0);
}

TEST_CASE("channels: a worker that took nothing for too long hangs up on those who missed something") {
  Room room;
  Heard heard;
  room.channels.listen(heard, "t");
  (void)room.subscribe({"t"});
  Peer& untouched = room.subscribe({"u"});
  const auto shared = message("x");
  for (std::size_t i = 0; i <= perigee::state::TopicInbox::kMost; ++i) {
    room.publish("t", "");
  }
  room.work();
  CHECK(room.owner.closed == 1);
  CHECK(heard.missed == 1);
  room.publish("u", "still here");
  room.work();
  CHECK(data_of(untouched.received()) == "still here ");
}

TEST_CASE("channels: the end is one of whole streams, without leaves") {
  Room room;
  Peer& peer = room.subscribe({"t"}, "ada");
  Peer& other = room.subscribe({"t"}, "bob");
  room.channels.end_all();
  room.work();
  CHECK(room.channels.clients() == 0);
  REQUIRE(turn_until(room.loop, [&] { return !peer.receive(); }));
  CHECK(peer.received().ends_with(perigee::http::kLastChunk));
  CHECK(peer.received().find("leave") == std::string::npos);
  CHECK(other.received().find("leave") == std::string::npos);
}

TEST_CASE("channels: heartbeats reach every client, but not on top of what waits") {
  Room room;
  room.channels.apply({160, 1024 * 1024});
  for (int i = 0; i < 20; ++i) {
    (void)room.subscribe({"t"});
  }
  Peer& busy = room.subscribe({"t"}, "", true, std::nullopt, 4096);
  room.owner.open.back()->send_shared({nullptr, std::string_view("3\r\n:x\n\r\n")});
  for (int i = 1; i < 40; ++i) {
    room.loop.timers().advance(perigee::monotonic_ms() + 10 * i);
    room.work();
  }
  for (const auto& peer : room.peers) {
    CHECK(peer->received().find("3\r\n:\n\n\r\n") != std::string::npos);
  }
  CHECK(busy.received().find(":x") != std::string::npos);
}
