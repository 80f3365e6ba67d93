#include "profiler/error_desk.h"

#include <algorithm>
#include <functional>
#include <new>
#include <utility>

#include "base/clock.h"
#include "base/text_map.h"
#include "profiler/error_signature.h"

namespace perigee::profiler {
namespace {

constexpr std::string_view kTraceback = "\nstack traceback:";
constexpr std::string_view kOthers = "(others)";

using Counts = TextMap<std::uint64_t>;

void count(Counts& counts, std::string_view name) {
  if (name.empty()) {
    return;
  }
  auto found = counts.find(name);
  if (found == counts.end()) {
    const std::string_view kept = counts.size() < ErrorDesk::kMostPlaces ? name : kOthers;
    found = counts.emplace(kept, 0).first;
  }
  ++found->second;
}

std::vector<ErrorKind::Place> places_of(const Counts& counts) {
  std::vector<ErrorKind::Place> places;
  places.reserve(counts.size());
  for (const auto& [name, number] : counts) {
    places.push_back({name, number});
  }
  std::sort(places.begin(), places.end(),
            [](const auto& a, const auto& b) { return a.count != b.count ? a.count > b.count : a.name < b.name; });
  return places;
}

std::string_view first_line(std::string_view text) {
  return text.substr(0, std::min(text.find('\n'), ErrorDesk::kMostMessage));
}

std::string_view traceback_of(std::string_view text) {
  const std::size_t at = text.find(kTraceback);
  return at == std::string_view::npos ? std::string_view() : text.substr(at + 1, ErrorDesk::kMostTraceback);
}

// A failed call's error without whom it was for: one kind, however many hosts.
std::string_view without_host(std::string_view text, std::string_view host, std::string& room) {
  const std::string_view name = host.starts_with("unix:") ? host : host.substr(0, host.rfind(':'));
  std::size_t at = name.empty() ? std::string_view::npos : text.find(name);
  if (at == std::string_view::npos) {
    return text;
  }
  room.clear();
  for (; at != std::string_view::npos; at = text.find(name)) {
    room.append(text.substr(0, at)) += '*';
    text.remove_prefix(at + name.size());
  }
  return room.append(text);
}

}  // namespace

struct ErrorDesk::Entry {
  std::string signature;
  std::string message;
  std::uint64_t count = 0;
  double first_seen = 0;
  double last_seen = 0;
  Counts routes;
  Counts hosts;
  std::string traceback;
  std::string sample;
};

// The kinds whose signatures hash to it, those seen last in front.
struct alignas(64) ErrorDesk::Shard {
  using Order = std::list<Entry>;

  Entry& find_or_add(std::string_view signature, std::size_t most);

  mutable std::mutex mutex;
  Order order;
  std::unordered_map<std::string_view, Order::iterator> by_signature;
  std::uint64_t errors = 0;
  std::uint64_t forgotten = 0;
};

ErrorDesk::Entry& ErrorDesk::Shard::find_or_add(std::string_view signature, std::size_t most) {
  const auto found = by_signature.find(signature);
  if (found != by_signature.end()) {
    if (found->second != order.begin()) {
      order.splice(order.begin(), order, found->second);
    }
    return order.front();
  }
  while (order.size() >= most) {
    by_signature.erase(order.back().signature);
    order.pop_back();
    ++forgotten;
  }
  Order fresh(1);
  fresh.front().signature = signature;
  by_signature.emplace(fresh.front().signature, fresh.begin());
  order.splice(order.begin(), fresh);
  return order.front();
}

ErrorDesk::ErrorDesk() {
  for (auto& shard : shards_) {
    shard = std::make_unique<Shard>();
  }
  apply({});
}

ErrorDesk::~ErrorDesk() = default;

void ErrorDesk::apply(const Settings& settings) {
  auto filter = std::make_shared<const ErrorFilter>(settings.ignore);
  most_ = std::max<std::size_t>(1, (settings.kinds + kShards - 1) / kShards);
  const std::lock_guard lock(filter_mutex_);
  filter_ = std::move(filter);
  filters_ = !settings.ignore.empty();
}

void ErrorDesk::note(const Failure& failure) noexcept {
  try {
    note_unguarded(failure);
  } catch (const std::bad_alloc&) {
    return;
  }
}

void ErrorDesk::note_unguarded(const Failure& failure) {
  if (filters_.load(std::memory_order_relaxed)) {
    std::shared_ptr<const ErrorFilter> filter;
    {
      const std::lock_guard lock(filter_mutex_);
      filter = filter_;
    }
    if (filter->matches(failure.text)) {
      ignored_.fetch_add(1, std::memory_order_relaxed);
      return;
    }
  }
  thread_local std::string signature;
  thread_local std::string general;
  strip_error(without_host(failure.text, failure.host, general), signature);
  const double now = wall_seconds();
  Shard& shard = *shards_[std::hash<std::string_view>()(signature) / 64 % kShards];
  const std::lock_guard lock(shard.mutex);
  ++shard.errors;
  Entry& entry = shard.find_or_add(signature, most_.load(std::memory_order_relaxed));
  if (entry.count == 0) {
    entry.message = first_line(failure.text);
    entry.first_seen = now;
  }
  ++entry.count;
  entry.last_seen = now;
  if (entry.traceback.empty()) {
    entry.traceback = traceback_of(failure.text);
  }
  if (entry.sample.empty()) {
    entry.sample = failure.sample.substr(0, kMostSample);
  }
  count(entry.routes, failure.route);
  count(entry.hosts, failure.host);
}

std::vector<ErrorKind> ErrorDesk::kinds() const {
  std::vector<ErrorKind> kinds;
  for (const auto& shard : shards_) {
    const std::lock_guard lock(shard->mutex);
    for (const Entry& entry : shard->order) {
      kinds.push_back({entry.signature, entry.message, entry.count, entry.first_seen, entry.last_seen,
                       places_of(entry.routes), places_of(entry.hosts), entry.traceback, entry.sample});
    }
  }
  std::sort(kinds.begin(), kinds.end(), [](const ErrorKind& a, const ErrorKind& b) {
    return a.count != b.count ? a.count > b.count : a.last_seen > b.last_seen;
  });
  return kinds;
}

ErrorDesk::Totals ErrorDesk::totals() const {
  Totals totals;
  totals.ignored = ignored_.load(std::memory_order_relaxed);
  for (const auto& shard : shards_) {
    const std::lock_guard lock(shard->mutex);
    totals.errors += shard->errors;
    totals.forgotten_kinds += shard->forgotten;
    totals.kinds += shard->order.size();
  }
  return totals;
}

}  // namespace perigee::profiler
