#include "server/channels.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "http/response.h"
#include "http/sse.h"
#include "script/topic_frame.h"

namespace perigee::server {
namespace {

// Bytes of this program's own as shared bytes: nobody has to keep them.
net::SharedBytes constant(std::string_view bytes) {
  return {nullptr, bytes};
}

// In a chunk of its own, or bare.
net::SharedBytes framed(std::string_view bytes, bool chunked) {
  auto text = std::make_shared<std::string>();
  if (chunked) {
    (void)http::append_chunk(*text, bytes);
  } else {
    text->assign(bytes);
  }
  const std::string_view view = *text;
  return {std::move(text), view};
}

constexpr std::string_view kHeartbeatChunk = "3\r\n:\n\n\r\n";
static_assert(kHeartbeatChunk.substr(3, 3) == http::kSseHeartbeat);

}  // namespace

Channels::Channels(state::Topics& topics, net::EventLoop& loop, net::ConnectionHandler& owner)
    : topics_(topics),
      loop_(loop),
      owner_(owner),
      inbox_(std::make_shared<state::TopicInbox>(loop, [this] { news_ = true; })),
      fanout_(open_),
      heartbeat_(*this) {}

Channels::~Channels() {
  inbox_->close();
  for (const auto& [subscription, topic] : open_) {
    topics_.unsubscribe(*inbox_, topic->name);
  }
}

void Channels::apply(const Settings& settings) {
  settings_ = settings;
}

void Channels::admit(Admission admission) {
  admission.connection->clear_deadline();
  admission.connection->input().consume(admission.connection->input().size());
  admitted_.push_back(std::move(admission));
}

bool Channels::work() {
  for (Admission& admission : std::exchange(admitted_, {})) {
    if (admission.connection->open()) {
      subscribe(admission);
    }
  }
  if (!fanout_.busy() && news_) {
    news_ = false;
    state::TopicInbox::Batch batch = inbox_->take();
    for (const std::uint64_t subscription : batch.missed) {
      drop_missed(subscription);
    }
    fanout_.begin(std::move(batch.deliveries));
  }
  if (fanout_.busy()) {
    fanout_.advance();
    if (!fanout_.busy()) {
      tidy();
    }
  }
  return fanout_.busy() || news_;
}

// --- coming ----------------------------------------------------------------------------------------------------------

ChannelTopic& Channels::open(std::string_view name) {
  if (const auto found = by_name_.find(name); found != by_name_.end()) {
    return *found->second;
  }
  auto made = std::make_unique<ChannelTopic>();
  ChannelTopic& topic = *made;
  topic.name.assign(name);
  topic.subscription = ++last_subscription_;
  open_.emplace(topic.subscription, std::move(made));
  by_name_.emplace(topic.name, &topic);
  untidy_.reserve(open_.size());
  return topic;
}

void Channels::subscribe(Admission& admission) {
  net::Connection& connection = *admission.connection;
  auto made = std::make_unique<ChannelClient>();
  ChannelClient& client = *made;
  client.connection = &connection;
  client.chunked = admission.chunked;
  client.plain = admission.chunked && admission.answer->topics.size() == 1;
  std::vector<ChannelTopic*> topics;
  std::vector<state::Topics::Wanted> wanted;
  for (const std::string& name : admission.answer->topics) {
    topics.push_back(&open(name));
    wanted.push_back({name, topics.back()->subscription});
  }
  const auto joined = topics_.subscribe(
      inbox_, wanted, admission.last_id ? std::optional<std::string_view>(*admission.last_id) : std::nullopt);
  client.joined = joined.stamp;
  client.places.reserve(topics.size());
  for (ChannelTopic* topic : topics) {
    topic->add(client);
  }
  if (!admission.answer->member.key.empty()) {
    client.member = std::make_unique<script::ChannelAnswer::Member>(std::move(admission.answer->member));
  }
  client.number = ++last_client_;
  if (admission.session) {
    client.session = std::make_unique<SessionWatch>(*admission.sessions, std::move(admission.session), loop_,
                                                    [this, number = client.number] { end_numbered(number); });
  }
  client.index = clients_.size();
  clients_.push_back(std::move(made));
  connection.hand_over(*this);
  connection.context = &client;
  if (!heartbeat_.pending()) {
    loop_.timers().add(heartbeat_, monotonic_ms() + settings_.heartbeat / static_cast<Milliseconds>(kTicks));
  }
  if (client.member != nullptr) {
    join(client);
  }
  begin(client, joined);
}

// What a client is sent first: what it has missed; else where it stands, so that it can come back from there.
void Channels::begin(ChannelClient& client, const state::Topics::Joined& joined) {
  net::Connection& connection = *client.connection;
  if (joined.replay.empty()) {
    std::string position;
    http::SseEvent event;
    const std::string stamp = std::to_string(joined.stamp);
    event.id = stamp;
    (void)http::append_sse(position, event);
    connection.send_shared(framed(position, client.chunked));
    return;
  }
  std::size_t size = 0;
  for (const state::SharedMessage& message : joined.replay) {
    size += message->frame.size();
  }
  connection.set_watermark(settings_.watermark + size);  // what is kept for all does not count for it
  for (const state::SharedMessage& message : joined.replay) {
    if (!connection.queue_shared({message, client.chunked ? message->in_chunk() : message->bare()})) {
      return;
    }
  }
  connection.flush();
}

void Channels::join(const ChannelClient& client) {
  for (const ChannelClient::Place& place : client.places) {
    topics_.join(place.topic->name, client.member->key, client.member->data,
                 script::frame_message({client.member->data, "join", {}, -1, true}));
  }
}

void Channels::listen(script::TopicListener& listener, std::string_view name) {
  ChannelTopic& topic = open(name);
  const state::Topics::Wanted wanted{name, topic.subscription};
  topic.add(listener, topics_.subscribe(inbox_, {&wanted, 1}, std::nullopt).stamp);
}

// --- going -----------------------------------------------------------------------------------------------------------

void Channels::stop_listening(script::TopicListener& listener, std::string_view name) noexcept {
  if (const auto found = by_name_.find(name); found != by_name_.end()) {
    found->second->remove(listener);
    close_if_idle(*found->second);
  }
}

// Where something has left it: closes gaps, or forgets the topic.
void Channels::close_if_idle(ChannelTopic& topic) {
  if (topic.live > 0 && !topic.sparse()) {
    return;
  }
  if (fanout_.busy()) {
    if (!std::exchange(topic.untidy, true)) {
      untidy_.push_back(&topic);  // open() has made room
    }
  } else if (topic.live > 0) {
    topic.compact();
  } else {
    topics_.unsubscribe(*inbox_, topic.name);
    by_name_.erase(topic.name);
    open_.erase(topic.subscription);
  }
}

void Channels::tidy() {
  for (ChannelTopic* topic : untidy_) {
    topic->untidy = false;
    close_if_idle(*topic);
  }
  untidy_.clear();
}

void Channels::leave(const ChannelClient& client) {
  for (const ChannelClient::Place& place : client.places) {
    topics_.leave(place.topic->name, client.member->key,
                  script::frame_message({client.member->data, "leave", {}, -1, true}));
  }
}

// Forgets a client whose connection goes, and gives the connection back.
void Channels::remove(ChannelClient& client) {
  client.connection->context = nullptr;
  client.connection->hand_over(owner_);
  fanout_.forget(client);
  for (const ChannelClient::Place& place : client.places) {
    place.topic->remove(client, place);
  }
  const auto kept = std::move(clients_[client.index]);
  if (kept->index + 1 != clients_.size()) {
    clients_[kept->index] = std::move(clients_.back());
    clients_[kept->index]->index = kept->index;
  }
  clients_.pop_back();
  if (kept->member != nullptr && !ended_) {
    leave(*kept);
  }
  for (const ChannelClient::Place& place : kept->places) {
    close_if_idle(*place.topic);
  }
}

void Channels::on_closed(net::Connection& connection) {
  remove(*static_cast<ChannelClient*>(connection.context));
  owner_.on_closed(connection);
}

// Ends a stream as one that is whole: a client that wants more comes back, with the id it had last.
void Channels::end(ChannelClient& client) {
  net::Connection& connection = *client.connection;
  const bool chunked = client.chunked;
  remove(client);
  if (!chunked || connection.send_shared(constant(http::kLastChunk))) {
    connection.close_gracefully();
  }
}

// Its session has ended.
void Channels::end_numbered(std::uint64_t number) {
  const auto found = std::find_if(clients_.begin(), clients_.end(), [&](const auto& c) { return c->number == number; });
  if (found != clients_.end()) {
    end(**found);
  }
}

void Channels::end_all() {
  ended_ = true;
  for (Admission& admission : std::exchange(admitted_, {})) {
    if (admission.connection->open()) {
      subscribe(admission);
    }
  }
  while (!clients_.empty()) {
    end(*clients_.back());
  }
}

// Messages are lost to these, but not to who comes back with the id of the last one that it had.
void Channels::drop_missed(std::uint64_t subscription) {
  const auto found = open_.find(subscription);
  if (found == open_.end()) {
    return;
  }
  const ChannelTopic& topic = *found->second;
  log_event(LogLevel::kWarn, "a worker is too busy for what is published on '" + topic.name +
                                 "': its subscribers are hung up on, to come back for what they missed");
  std::vector<net::Connection*> connections;
  for (const auto* list : {&topic.plain, &topic.others}) {
    for (const ChannelTopic::Entry& entry : *list) {
      if (entry.client != nullptr) {
        connections.push_back(entry.connection);
      }
    }
  }
  for (const ChannelTopic::Listener& entry : topic.listeners) {
    if (entry.listener != nullptr) {
      entry.listener->on_missed();
    }
  }
  for (net::Connection* connection : connections) {
    connection->close();
  }
}

// --- meanwhile -------------------------------------------------------------------------------------------------------

void Channels::on_data(net::Connection& connection) {
  connection.input().consume(connection.input().size());  // it has said all that it had to say
}

// Nobody is known to send half a close and to go on listening; a client that left must leave the members at once.
void Channels::on_half_close(net::Connection& connection) {
  connection.close();
}

void Channels::beat() {
  topics_.sweep();
  const std::size_t share = (clients_.size() + kTicks - 1) / kTicks;
  for (std::size_t i = 0; i < share && !clients_.empty(); ++i) {
    beaten_ = beaten_ + 1 < clients_.size() ? beaten_ + 1 : 0;
    const ChannelClient& client = *clients_[beaten_];
    if (client.connection->shared_left() == 0) {
      client.connection->send_shared(constant(client.chunked ? kHeartbeatChunk : http::kSseHeartbeat));
    }
  }
  if (!clients_.empty()) {
    loop_.timers().add(heartbeat_, monotonic_ms() + std::max<Milliseconds>(
                                                        1, settings_.heartbeat / static_cast<Milliseconds>(kTicks)));
  }
}

}  // namespace perigee::server
