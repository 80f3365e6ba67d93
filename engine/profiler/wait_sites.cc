#include "profiler/wait_sites.h"

#include <map>
#include <mutex>
#include <utility>

namespace perigee::profiler {

namespace {

struct Sites {
  std::mutex mutex;
  std::vector<WaitSite> known{{"other", ""}};
  std::map<std::pair<std::string, std::string>, std::uint32_t> numbers;
};

Sites& sites() {
  static Sites all;
  return all;
}

}  // namespace

std::uint32_t wait_site(std::string_view operation, std::string_view peer) {
  Sites& all = sites();
  const std::lock_guard lock(all.mutex);
  std::pair<std::string, std::string> key(operation, peer);
  if (const auto found = all.numbers.find(key); found != all.numbers.end()) {
    return found->second;
  }
  if (all.known.size() >= kMostWaitSites) {
    return 0;
  }
  all.known.push_back({key.first, key.second});
  all.numbers.emplace(std::move(key), static_cast<std::uint32_t>(all.known.size() - 1));
  return static_cast<std::uint32_t>(all.known.size() - 1);
}

std::vector<WaitSite> wait_sites() {
  Sites& all = sites();
  const std::lock_guard lock(all.mutex);
  return all.known;
}

}  // namespace perigee::profiler
