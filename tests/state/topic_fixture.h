#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/executor.h"
#include "state/topic_inbox.h"
#include "state/topic_message.h"
#include "state/topics.h"

/// A message as a test reads it: its frame is an id and the data.
inline std::shared_ptr<perigee::state::TopicMessage> message(std::string_view data,
                                                             std::optional<std::string> id = std::nullopt) {
  auto made = std::make_shared<perigee::state::TopicMessage>();
  made->stamp_id = !id;
  made->frame = id.value_or(std::string(perigee::state::TopicMessage::kStampSize, '0'));
  made->id = {0, static_cast<std::uint32_t>(made->frame.size())};
  made->data = {made->id.size, static_cast<std::uint32_t>(data.size())};
  made->frame += data;
  return made;
}

template <typename Messages>
std::string text_of(const Messages& messages) {
  std::string text;
  for (const auto& item : messages) {
    text.append(text.empty() ? "" : " ").append(item->data_text());
  }
  return text;
}

/// Counts what is posted to it, and runs it at once.
struct CountingExecutor final : perigee::Executor {
  void post(std::function<void()> work) override {
    ++posts;
    work();
  }
  int posts = 0;
};

/// An inbox, and whoever reads it.
struct Reader {
  perigee::state::Topics::Joined subscribe(perigee::state::Topics& topics,
                                           std::initializer_list<std::string_view> names,
                                           std::optional<std::string> last_id = std::nullopt) {
    std::vector<perigee::state::Topics::Wanted> wanted;
    for (const std::string_view name : names) {
      wanted.push_back({name, ++subscription});
    }
    return topics.subscribe(inbox, wanted, last_id ? std::optional<std::string_view>(*last_id) : std::nullopt);
  }
  /// The data that came.
  std::string take() {
    std::vector<perigee::state::SharedMessage> messages;
    for (const auto& delivery : inbox->take().deliveries) {
      messages.push_back(delivery.message);
    }
    return text_of(messages);
  }

  CountingExecutor executor;
  std::shared_ptr<perigee::state::TopicInbox> inbox = std::make_shared<perigee::state::TopicInbox>(executor, [] {});
  std::uint64_t subscription = 0;
};
