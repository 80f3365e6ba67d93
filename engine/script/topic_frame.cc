#include "script/topic_frame.h"

#include <string>

#include "http/response.h"
#include "http/sse.h"

namespace perigee::script {
namespace {

using Place = state::TopicMessage::Place;

constexpr std::string_view kStamp = "0000000000000000";  // until Topics says it
static_assert(kStamp.size() == state::TopicMessage::kStampSize);

Place place(std::size_t at, std::size_t size) {
  return {static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(size)};
}

}  // namespace

std::shared_ptr<state::TopicMessage> frame_message(const TopicDraft& draft) {
  auto message = std::make_shared<state::TopicMessage>();
  http::SseEvent event;
  event.data = draft.data;
  event.event = draft.event.empty() ? std::nullopt : std::optional(draft.event);
  event.id = draft.id.value_or(kStamp);
  event.retry = draft.retry;
  std::string framed;
  framed.reserve(draft.data.size() + draft.event.size() + event.id->size() + 64);
  const http::SsePlaces places = http::append_sse(framed, event);

  message->frame.reserve(framed.size() + 12);
  const std::size_t at = http::append_chunk(message->frame, framed);
  message->chunk = place(0, message->frame.size());
  message->payload = place(at, framed.size());
  message->id = place(at + places.id, event.id->size());
  message->event = place(at + std::string_view("event: ").size(), draft.event.size());
  if (places.one_line) {
    message->data = place(at + places.data, draft.data.size());
  } else {
    message->text = draft.data;
  }
  message->json = draft.json;
  message->stamp_id = !draft.id;
  message->retry = draft.retry;
  return message;
}

}  // namespace perigee::script
