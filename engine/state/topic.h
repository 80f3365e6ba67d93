#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "state/topic_inbox.h"
#include "state/topic_message.h"

namespace perigee::state {

/// One topic of Topics, whose lock guards it.
struct Topic {
  struct Listener {
    std::shared_ptr<TopicInbox> inbox;
    std::uint64_t subscription = 0;
  };
  struct Member {
    std::string data;  ///< JSON
    std::size_t connections = 0;
    std::uint64_t order = 0;  ///< counts up with those who come
  };

  explicit Topic(std::string_view its_name) : name(its_name) {}

  const std::string name;
  std::deque<SharedMessage> kept;  ///< in the order of their stamps
  std::vector<Listener> listeners;
  std::map<std::string, Member, std::less<>> members;
  std::optional<std::list<Topic*>::iterator> place;  ///< in the list of those that keep messages

  [[nodiscard]] bool idle() const { return kept.empty() && listeners.empty() && members.empty(); }
  [[nodiscard]] bool has_listener(const TopicInbox& inbox) const;
  void remove_listener(const TopicInbox& inbox);
  /// Counts one connection of a member less; true when it was the last and the member has gone.
  [[nodiscard]] bool count_out(std::string_view key);
  /// The stamp of the last message that has this id.
  [[nodiscard]] std::optional<std::uint64_t> stamp_of(std::string_view id) const;
  /// Appends what was published after `stamp`.
  void append_since(std::uint64_t stamp, std::vector<SharedMessage>& out) const;
  [[nodiscard]] std::vector<std::string> list_members() const;
};

}  // namespace perigee::state
