// Topics: publishing, members, and event streams that Lua writes. What lua/perigee/channels.lua and sse.lua have looked
// at is not looked at again.

#include <lua.hpp>

#include <array>
#include <cstdio>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>

#include "http/sse.h"
#include "script/bind.h"
#include "script/json_decoder.h"
#include "script/json_encoder.h"
#include "script/stack_text.h"
#include "script/subscription.h"
#include "script/topic_frame.h"
#include "script/vm.h"
#include "state/topics.h"

namespace perigee::script {
namespace {

std::optional<std::string_view> optional_text(lua_State* state, int index) {
  return lua_isnoneornil(state, index) ? std::nullopt : std::optional(check_text(state, index));
}

// What is wrong with a name that holds a control byte: the byte itself is nothing to write into a log.
void push_control_fault(lua_State* state, std::string_view name) {
  const std::size_t at = state::Topics::control_in(name).value_or(0);
  std::array<char, 8> shown{};
  (void)std::snprintf(shown.data(), shown.size(), "0x%02x", static_cast<unsigned char>(name[at]));
  lua_pushfstring(state, "a topic's name holds no control bytes: byte %d is %s", static_cast<int>(at) + 1,
                  shown.data());
}

// topic_fault(name) -> nothing; or what is wrong with it, and whether that is its length.
int topic_fault(lua_State* state) {
  using Fault = state::Topics::NameFault;
  const std::string_view name = check_text(state, 1);
  switch (state::Topics::fault_of(name)) {
    case Fault::kNone:
      return 0;
    case Fault::kEmpty:
      lua_pushliteral(state, "a topic's name is not empty");
      return 1;
    case Fault::kControl:
      push_control_fault(state, name);
      return 1;
    case Fault::kTooLong:
      break;
  }
  lua_pushfstring(state, "a topic's name has at most %d bytes", static_cast<int>(state::Topics::kNameLimit));
  lua_pushboolean(state, 1);
  return 2;
}

// The data at `index` as it is sent: a string, or JSON. Raises for what is neither.
std::string_view data_of(lua_State* state, Vm& vm, int index) {
  if (lua_type(state, index) == LUA_TSTRING) {
    return check_text(state, index);
  }
  ByteBuffer& out = vm.encoded();
  JsonEncoder::clear(out);
  std::string error;
  {
    JsonEncoder encoder(state, out, vm.settings().json_depth);
    if (!encoder.encode(index)) {
      error = encoder.error();
    }
  }
  if (!error.empty()) {
    luaL_where(state, 1);
    lua_pushfstring(state, "a message can't be JSON: %s", error.c_str());
    lua_concat(state, 2);
    lua_error(state);
  }
  return out.readable();
}

// publish(topic, data, event, id, retry) -> id; or nil and "too_large: ...".
int publish(lua_State* state) {
  Vm& vm = Vm::of(state);
  TopicDraft draft;
  draft.data = data_of(state, vm, 2);
  draft.json = lua_type(state, 2) != LUA_TSTRING;
  draft.event = optional_text(state, 3).value_or("");
  draft.id = optional_text(state, 4);
  draft.retry = static_cast<std::int64_t>(luaL_optnumber(state, 5, -1));
  const std::size_t most = vm.settings().message_bytes;
  if (draft.data.size() > most || draft.event.size() > most || (draft.id && draft.id->size() > most)) {
    lua_pushnil(state);
    lua_pushfstring(state, "too_large: a message has at most %f bytes (channels.message)", static_cast<double>(most));
    return 2;
  }
  auto message = frame_message(draft);
  const std::uint64_t stamp = vm.host().topics().publish(check_text(state, 1), std::move(message));
  if (draft.id) {
    lua_pushvalue(state, 4);
  } else {
    const std::string id = std::to_string(stamp);
    lua_pushlstring(state, id.data(), id.size());
  }
  return 1;
}

// members(topic) -> a JSON array.
int members(lua_State* state) {
  std::string text = "[";
  for (const std::string& data : Vm::of(state).host().topics().members(check_text(state, 1))) {
    text.append(text.size() > 1 ? "," : "").append(data);
  }
  text.push_back(']');
  lua_pushlstring(state, text.data(), text.size());
  return 1;
}

// sse_event(data, event, id, retry) -> the event as it is sent.
int sse_event(lua_State* state) {
  http::SseEvent event;
  event.data = optional_text(state, 1);
  event.event = optional_text(state, 2);
  event.id = optional_text(state, 3);
  event.retry = static_cast<std::int64_t>(luaL_optnumber(state, 4, -1));
  std::string text;
  (void)http::append_sse(text, event);
  lua_pushlstring(state, text.data(), text.size());
  return 1;
}

// heartbeat() -> seconds between comments on a stream that waits for messages.
int heartbeat(lua_State* state) {
  lua_pushnumber(state, Vm::of(state).settings().heartbeat);
  return 1;
}

constexpr const char* kSubscription = "perigee.Subscription";

Subscription& check_subscription(lua_State* state) {
  return **static_cast<std::unique_ptr<Subscription>*>(luaL_checkudata(state, 1, kSubscription));
}

int end_subscription(lua_State* state) {
  std::destroy_at(static_cast<std::unique_ptr<Subscription>*>(lua_touserdata(state, 1)));
  return 0;
}

// listen(topic) -> a subscription.
int listen(lua_State* state) {
  Vm& vm = Vm::of(state);
  auto* place =
      static_cast<std::unique_ptr<Subscription>*>(lua_newuserdata(state, sizeof(std::unique_ptr<Subscription>)));
  new (place) std::unique_ptr<Subscription>;
  luaL_getmetatable(state, kSubscription);
  lua_setmetatable(state, -2);
  *place = std::make_unique<Subscription>(vm, check_text(state, 1), vm.settings().message_queue);
  return 1;
}

// stop_listening(subscription)
int stop_listening(lua_State* state) {
  check_subscription(state).close();
  return 0;
}

// await_message(subscription): the running task, which must wait next, is woken by a message.
int await_message(lua_State* state) {
  check_subscription(state).await(*Vm::of(state).current());
  return 0;
}

void set_text(lua_State* state, const char* name, std::string_view text) {
  lua_pushlstring(state, text.data(), text.size());
  lua_setfield(state, -2, name);
}

// take_message(subscription) -> { topic, data, event, id, retry, missed }; nothing while there is none.
int take_message(lua_State* state) {
  Subscription& subscription = check_subscription(state);
  const state::SharedMessage message = subscription.take();
  if (message == nullptr) {
    return 0;
  }
  lua_createtable(state, 0, 5);
  set_text(state, "topic", subscription.topic());
  set_text(state, "id", message->id_text());
  if (!message->event_text().empty()) {
    set_text(state, "event", message->event_text());
  }
  if (message->retry >= 0) {
    lua_pushnumber(state, static_cast<lua_Number>(message->retry));
    lua_setfield(state, -2, "retry");
  }
  if (const std::uint64_t missed = subscription.take_missed(); missed > 0) {
    lua_pushnumber(state, static_cast<lua_Number>(missed));
    lua_setfield(state, -2, "missed");
  }
  std::string error;
  if (!message->json || !decode_json(state, message->data_text(), {JsonEncoder::kMaxDepth, 0}, error)) {
    lua_pushlstring(state, message->data_text().data(), message->data_text().size());
  }
  lua_setfield(state, -2, "data");
  return 1;
}

}  // namespace

void bind_channel(lua_State* state) {
  static constexpr luaL_Reg kFunctions[] = {{"topic_fault", topic_fault},
                                            {"publish", publish},
                                            {"members", members},
                                            {"sse_event", sse_event},
                                            {"heartbeat", heartbeat},
                                            {"listen", listen},
                                            {"stop_listening", stop_listening},
                                            {"await_message", await_message},
                                            {"take_message", take_message},
                                            {nullptr, nullptr}};
  luaL_register(state, nullptr, kFunctions);
  luaL_newmetatable(state, kSubscription);
  lua_pushcfunction(state, end_subscription);
  lua_setfield(state, -2, "__gc");
  lua_pushliteral(state, "a subscription");
  lua_setfield(state, -2, "__metatable");
  lua_pop(state, 1);
}

}  // namespace perigee::script
