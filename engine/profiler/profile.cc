#include "profiler/profile.h"

#include <cassert>
#include <utility>

namespace perigee::profiler {

namespace {

void put(std::string& key, std::string_view text) {
  const auto size = static_cast<std::uint32_t>(text.size());
  key.append(reinterpret_cast<const char*>(&size), sizeof size);
  key.append(text);
}

void put(std::string& key, std::uint32_t number) {
  key.append(reinterpret_cast<const char*>(&number), sizeof number);
}

std::string key_of(const Frame& frame) {
  std::string key;
  put(key, frame.name);
  put(key, frame.file);
  put(key, static_cast<std::uint32_t>(frame.line));
  put(key, static_cast<std::uint32_t>(frame.first_line));
  put(key, static_cast<std::uint32_t>(frame.kind));
  return key;
}

std::string key_of(const Profile::Labels& labels) {
  std::string key;
  for (const Label& label : labels) {
    put(key, label.key);
    put(key, label.text);
  }
  return key;
}

std::string key_of(std::span<const std::uint32_t> stack, std::uint32_t labels) {
  std::string key;
  key.reserve((stack.size() + 1) * sizeof labels);
  put(key, labels);
  for (const std::uint32_t id : stack) {
    put(key, id);
  }
  return key;
}

// The id under a key; `made` is kept as the next one where the key is new.
template <typename T>
std::uint32_t intern(std::unordered_map<std::string, std::uint32_t>& ids, std::vector<T>& kept, std::string key,
                     const T& made) {
  const auto [found, added] = ids.try_emplace(std::move(key), static_cast<std::uint32_t>(kept.size()));
  if (added) {
    kept.push_back(made);
  }
  return found->second;
}

}  // namespace

std::string_view word_of(FrameKind kind) {
  switch (kind) {
    case FrameKind::kLua:
      return "lua";
    case FrameKind::kBuiltin:
      return "builtin";
    case FrameKind::kNative:
      return "native";
    case FrameKind::kState:
      return "state";
    case FrameKind::kWait:
      return "wait";
  }
  return "native";
}

Profile::Profile(std::vector<ValueType> types) : types_(std::move(types)) {
  labels({});
}

std::uint32_t Profile::frame(const Frame& frame) {
  return intern(frame_ids_, frames_, key_of(frame), frame);
}

std::uint32_t Profile::labels(const Labels& labels) {
  return intern(label_ids_, label_sets_, key_of(labels), labels);
}

void Profile::add(std::span<const std::uint32_t> stack, std::uint32_t labels, std::span<const std::int64_t> values) {
  assert(values.size() == types_.size());
  const Sample empty{{stack.begin(), stack.end()}, labels, std::vector<std::int64_t>(types_.size(), 0)};
  Sample& sample = samples_[intern(sample_ids_, samples_, key_of(stack, labels), empty)];
  for (std::size_t i = 0; i < values.size(); ++i) {
    sample.values[i] += values[i];
  }
}

}  // namespace perigee::profiler
