#include "state/topics.h"

#include <algorithm>
#include <charconv>
#include <ctime>
#include <new>
#include <utility>

namespace perigee::state {
namespace {

constexpr std::size_t kTopicWeight = 512;  // of a topic itself, about

std::uint64_t wall_microseconds() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(now.tv_nsec) / 1'000;
}

void write_stamp(TopicMessage& message, std::uint64_t stamp) {
  message.stamp = stamp;
  if (!message.stamp_id) {
    return;
  }
  for (std::size_t i = TopicMessage::kStampSize; i > 0; --i) {
    message.frame[message.id.at + i - 1] = static_cast<char>('0' + stamp % 10);
    stamp /= 10;
  }
}

}  // namespace

Topics::NameFault Topics::fault_of(std::string_view name) {
  if (name.empty()) {
    return NameFault::kEmpty;
  }
  if (name.size() > kNameLimit) {
    return NameFault::kTooLong;
  }
  return control_in(name) ? NameFault::kControl : NameFault::kNone;
}

std::optional<std::size_t> Topics::control_in(std::string_view name) {
  const auto* const found =
      std::find_if(name.begin(), name.end(), [](unsigned char byte) { return byte < 0x20 || byte == 0x7f; });
  if (found == name.end()) {
    return std::nullopt;
  }
  return static_cast<std::size_t>(found - name.begin());
}

Topics::Aftermath::~Aftermath() {
  for (const auto& inbox : sleeping) {
    try {
      inbox->wake();
    } catch (const std::bad_alloc&) {
      continue;  // the next message wakes it
    }
  }
}

void Topics::apply(const Settings& settings) {
  Garbage garbage;
  const std::lock_guard lock(mutex_);
  settings_ = settings;
  for (Topic* topic : std::vector<Topic*>(kept_.begin(), kept_.end())) {
    while (topic->kept.size() > settings_.history) {
      drop_oldest(*topic, garbage);
    }
    forget_if_idle(*topic);
  }
  trim(garbage);
}

Topic* Topics::find(std::string_view name) {
  const auto found = topics_.find(name);
  return found != topics_.end() ? found->second.get() : nullptr;
}

Topic& Topics::open(std::string_view name) {
  if (Topic* topic = find(name); topic != nullptr) {
    return *topic;
  }
  return *topics_.emplace(std::string(name), std::make_unique<Topic>(name)).first->second;
}

std::uint64_t Topics::next_stamp() {
  return last_stamp_ = std::max(last_stamp_ + 1, wall_microseconds());
}

std::uint64_t Topics::publish(std::string_view topic, std::shared_ptr<TopicMessage> message) {
  Aftermath aftermath;
  const std::lock_guard lock(mutex_);
  Topic& opened = open(topic);
  try {
    const std::uint64_t stamp = publish_locked(opened, std::move(message), aftermath);
    forget_if_idle(opened);
    trim(aftermath.garbage);
    return stamp;
  } catch (const std::bad_alloc&) {
    forget_if_idle(opened);
    throw;
  }
}

// Throws std::bad_alloc where some may have it and others not; it is kept for all then, or for none.
std::uint64_t Topics::publish_locked(Topic& topic, std::shared_ptr<TopicMessage> message, Aftermath& aftermath) {
  const std::uint64_t stamp = next_stamp();
  ++published_;
  write_stamp(*message, stamp);
  const SharedMessage shared = std::move(message);
  aftermath.sleeping.reserve(topic.listeners.size());
  keep(topic, shared, aftermath.garbage);
  for (const Topic::Listener& listener : topic.listeners) {
    if (listener.inbox->push(listener.subscription, shared)) {
      aftermath.sleeping.push_back(listener.inbox);
    }
  }
  return stamp;
}

void Topics::keep(Topic& topic, const SharedMessage& message, Garbage& garbage) {
  if (settings_.history == 0) {
    return;
  }
  std::list<Topic*> place(topic.place ? 0 : 1, &topic);
  topic.kept.push_back(message);
  bytes_ += message->weight();  // from here on nothing fails
  if (topic.place) {
    kept_.splice(kept_.end(), kept_, *topic.place);
  } else {
    topic.place = place.begin();
    kept_.splice(kept_.end(), place);
    bytes_ += kTopicWeight;
  }
  while (topic.kept.size() > settings_.history) {
    drop_oldest(topic, garbage);
  }
}

void Topics::drop_oldest(Topic& topic, Garbage& garbage) {
  bytes_ -= topic.kept.front()->weight();
  try {
    garbage.push_back(std::move(topic.kept.front()));
  } catch (const std::bad_alloc&) {
    // Then it is freed here, with the lock held.
  }
  topic.kept.pop_front();
  if (topic.kept.empty()) {
    kept_.erase(*topic.place);
    topic.place.reset();
    bytes_ -= kTopicWeight;
  }
}

// Forgets what is too old, and what is over the bound on memory. One that keeps nothing any more leaves the list, so
// that each message is looked at once.
void Topics::trim(Garbage& garbage) {
  const std::uint64_t now = wall_microseconds();
  const auto keep_for = static_cast<std::uint64_t>(settings_.keep);
  while (!kept_.empty()) {
    Topic& topic = *kept_.front();
    const bool old = topic.kept.back()->stamp + keep_for < now;
    if (!old && bytes_ <= settings_.memory) {
      break;
    }
    do {
      drop_oldest(topic, garbage);
    } while (!topic.kept.empty() && (old || bytes_ > settings_.memory));
    forget_if_idle(topic);
  }
}

void Topics::forget_if_idle(Topic& topic) {
  if (topic.idle()) {
    topics_.erase(topics_.find(std::string_view(topic.name)));
  }
}

void Topics::sweep() {
  Garbage garbage;
  const std::lock_guard lock(mutex_);
  trim(garbage);
}

// Where a client that comes back left off.
std::uint64_t Topics::position(std::span<const Wanted> wanted, std::string_view last_id) {
  std::optional<std::uint64_t> last;
  for (const Wanted& want : wanted) {
    if (const Topic* topic = find(want.topic); topic != nullptr) {
      last = std::max(last, topic->stamp_of(last_id));
    }
  }
  if (last) {
    return *last;
  }
  std::uint64_t stamp = 0;
  const char* end = last_id.data() + last_id.size();
  const auto parsed = std::from_chars(last_id.data(), end, stamp);
  const bool known =
      parsed.ec == std::errc() && parsed.ptr == end && stamp <= std::max(last_stamp_, wall_microseconds());
  return known ? stamp : 0;
}

Topics::Joined Topics::subscribe(const std::shared_ptr<TopicInbox>& inbox, std::span<const Wanted> wanted,
                                 std::optional<std::string_view> last_id) {
  Joined joined;
  Garbage garbage;
  const std::lock_guard lock(mutex_);
  trim(garbage);
  joined.stamp = last_stamp_ != 0 ? last_stamp_ : next_stamp();
  const std::uint64_t since = last_id ? position(wanted, *last_id) : 0;
  for (const Wanted& want : wanted) {
    Topic& topic = open(want.topic);
    if (last_id) {
      topic.append_since(since, joined.replay);
    }
    if (!topic.has_listener(*inbox)) {
      topic.listeners.push_back({inbox, want.subscription});
    }
  }
  if (wanted.size() > 1) {
    std::sort(joined.replay.begin(), joined.replay.end(),
              [](const auto& a, const auto& b) { return a->stamp < b->stamp; });
  }
  return joined;
}

void Topics::unsubscribe(const TopicInbox& inbox, std::string_view topic) {
  const std::lock_guard lock(mutex_);
  if (Topic* found = find(topic); found != nullptr) {
    found->remove_listener(inbox);
    forget_if_idle(*found);
  }
}

void Topics::join(std::string_view topic, std::string_view key, std::string_view data,
                  std::shared_ptr<TopicMessage> message) {
  Aftermath aftermath;
  std::string shown(data);
  const std::lock_guard lock(mutex_);
  Topic& opened = open(topic);
  try {
    Topic::Member& member = opened.members[std::string(key)];
    member.data = std::move(shown);
    if (++member.connections == 1) {
      member.order = ++joined_;
      (void)publish_locked(opened, std::move(message), aftermath);
      trim(aftermath.garbage);
    }
  } catch (const std::bad_alloc&) {
    forget_if_idle(opened);
    throw;
  }
}

void Topics::leave(std::string_view topic, std::string_view key, std::shared_ptr<TopicMessage> message) {
  Aftermath aftermath;
  const std::lock_guard lock(mutex_);
  if (Topic* found = find(topic); found != nullptr && found->count_out(key)) {
    (void)publish_locked(*found, std::move(message), aftermath);
    forget_if_idle(*found);
    trim(aftermath.garbage);
  }
}

std::vector<std::string> Topics::members(std::string_view topic) {
  const std::lock_guard lock(mutex_);
  const Topic* found = find(topic);
  return found != nullptr ? found->list_members() : std::vector<std::string>();
}

Topics::Size Topics::size() {
  const std::lock_guard lock(mutex_);
  return {topics_.size(), bytes_, published_};
}

}  // namespace perigee::state
