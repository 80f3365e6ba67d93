#include "script/topic_frame.h"

#include <catch2/catch.hpp>
#include <string>

#include "state/topics.h"

using perigee::script::frame_message;
using perigee::script::TopicDraft;

TEST_CASE("topic frame: an event in one chunk, its parts where they are said to be") {
  TopicDraft draft;
  draft.data = R"({"a":1})";
  draft.event = "tick";
  draft.id = "seven";
  draft.retry = 1500;
  draft.json = true;
  const auto message = frame_message(draft);
  CHECK(message->in_chunk() == "31\r\nevent: tick\nid: seven\nretry: 1500\ndata: {\"a\":1}\n\n\r\n");
  CHECK(message->bare() == "event: tick\nid: seven\nretry: 1500\ndata: {\"a\":1}\n\n");
  CHECK(message->event_text() == "tick");
  CHECK(message->id_text() == "seven");
  CHECK(message->data_text() == draft.data);
  CHECK(message->json);
  CHECK(message->retry == 1500);
}

TEST_CASE("topic frame: without an id of its own the stamp is written into it") {
  perigee::state::Topics topics;
  TopicDraft draft;
  draft.data = "x";
  const auto message = frame_message(draft);
  const std::string id = std::to_string(topics.publish("t", message));
  CHECK(message->id_text() == id);
  CHECK(message->bare() == "id: " + id + "\ndata: x\n\n");
  CHECK(message->event_text().empty());
}

TEST_CASE("topic frame: data of several lines is kept whole as well") {
  TopicDraft draft;
  draft.data = "a\r\nb";
  draft.id = "";
  const auto message = frame_message(draft);
  CHECK(message->data_text() == "a\r\nb");
  CHECK(message->bare() == "id: \ndata: a\ndata: b\n\n");
  CHECK(message->id_text().empty());
}
