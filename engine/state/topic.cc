#include "state/topic.h"

#include <algorithm>

namespace perigee::state {

bool Topic::has_listener(const TopicInbox& inbox) const {
  return std::any_of(listeners.begin(), listeners.end(), [&](const Listener& l) { return l.inbox.get() == &inbox; });
}

void Topic::remove_listener(const TopicInbox& inbox) {
  std::erase_if(listeners, [&](const Listener& l) { return l.inbox.get() == &inbox; });
}

bool Topic::count_out(std::string_view key) {
  const auto member = members.find(key);
  if (member == members.end() || --member->second.connections != 0) {
    return false;
  }
  members.erase(member);
  return true;
}

std::optional<std::uint64_t> Topic::stamp_of(std::string_view id) const {
  const auto found =
      std::find_if(kept.rbegin(), kept.rend(), [id](const SharedMessage& message) { return message->id_text() == id; });
  return found != kept.rend() ? std::optional((*found)->stamp) : std::nullopt;
}

void Topic::append_since(std::uint64_t stamp, std::vector<SharedMessage>& out) const {
  const auto first = std::upper_bound(kept.begin(), kept.end(), stamp,
                                      [](std::uint64_t value, const SharedMessage& m) { return value < m->stamp; });
  out.insert(out.end(), first, kept.end());
}

std::vector<std::string> Topic::list_members() const {
  std::vector<const Member*> sorted;
  sorted.reserve(members.size());
  for (const auto& [key, member] : members) {
    sorted.push_back(&member);
  }
  std::sort(sorted.begin(), sorted.end(), [](const Member* a, const Member* b) { return a->order < b->order; });
  std::vector<std::string> list;
  list.reserve(sorted.size());
  for (const Member* member : sorted) {
    list.push_back(member->data);
  }
  return list;
}

}  // namespace perigee::state
