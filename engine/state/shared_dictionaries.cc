#include "state/shared_dictionaries.h"

#include <utility>

namespace perigee::state {

SharedDictionary::Settings SharedDictionaries::settings_of(std::string_view name) const {
  const auto named = settings_.named.find(name);
  return named != settings_.named.end() ? named->second : SharedDictionary::Settings{settings_.default_size, false};
}

void SharedDictionaries::apply(const Settings& settings) {
  const std::lock_guard lock(mutex_);
  settings_ = settings;
  for (const auto& [name, dictionary] : by_name_) {
    if (const auto wanted = settings_of(name); wanted != dictionary->settings()) {
      dictionary->apply(wanted);
    }
  }
}

SharedDictionary* SharedDictionaries::find(std::string_view name) {
  const std::lock_guard lock(mutex_);
  if (const auto found = by_name_.find(name); found != by_name_.end()) {
    return found->second.get();
  }
  if (by_name_.size() >= kMost && !settings_.named.contains(name)) {
    return nullptr;
  }
  auto made = std::make_unique<SharedDictionary>(settings_of(name));
  return by_name_.emplace(name, std::move(made)).first->second.get();
}

std::vector<SharedDictionaries::Figures> SharedDictionaries::figures() {
  std::vector<std::pair<std::string, SharedDictionary*>> all;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, dictionary] : by_name_) {
      all.emplace_back(name, dictionary.get());  // none ever goes
    }
  }
  std::vector<Figures> found;
  for (const auto& [name, dictionary] : all) {
    found.push_back(
        {name, dictionary->count(), dictionary->used(), dictionary->settings().size, dictionary->evictions()});
  }
  return found;
}

}  // namespace perigee::state
