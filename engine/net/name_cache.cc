#include "net/name_cache.h"

#include <utility>

namespace perigee::net {

const NameAnswer* NameCache::find(std::string_view name, Milliseconds now) {
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) {
    return nullptr;
  }
  if (found->second->expires <= now) {
    erase(found->second);
    return nullptr;
  }
  entries_.splice(entries_.begin(), entries_, found->second);
  return &entries_.front().answer;
}

void NameCache::put(std::string_view name, NameAnswer answer, Milliseconds expires) {
  if (const auto found = by_name_.find(name); found != by_name_.end()) {
    erase(found->second);
  }
  if (most_ == 0) {
    return;
  }
  if (entries_.size() >= most_) {
    erase(std::prev(entries_.end()));
  }
  entries_.push_front({std::string(name), std::move(answer), expires});
  by_name_.emplace(entries_.front().name, entries_.begin());
}

void NameCache::erase(Entries::iterator entry) {
  by_name_.erase(entry->name);
  entries_.erase(entry);
}

void NameCache::clear() {
  by_name_.clear();
  entries_.clear();
}

}  // namespace perigee::net
