#include "profiler/place_table.h"

#include <new>

namespace perigee::profiler {

std::uint32_t PlaceTable::id(std::string_view source, std::string_view name, std::int32_t line,
                             std::int32_t first_line) noexcept {
  try {
    const std::lock_guard lock(mutex_);
    // A function of the script is told by its place; who calls it may know it by different names. One without a place
    // is told by its name.
    std::tuple key(std::string(source), first_line > 0 ? std::string() : std::string(name), line, first_line);
    const auto known = ids_.find(key);
    if (known != ids_.end()) {
      return known->second;
    }
    if (known_.size() >= kMost) {
      return 0;
    }
    known_.push_back({std::string(source), std::string(name), line, first_line});
    return ids_.emplace(std::move(key), static_cast<std::uint32_t>(known_.size() - 1)).first->second;
  } catch (const std::bad_alloc&) {
    return 0;
  }
}

ScriptPlace PlaceTable::place(std::uint32_t id) const {
  const std::lock_guard lock(mutex_);
  return known_[id < known_.size() ? id : 0];
}

}  // namespace perigee::profiler
