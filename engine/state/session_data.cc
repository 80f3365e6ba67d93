#include "state/session_data.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace perigee::state {
namespace {

constexpr std::size_t kHead = 6;
constexpr std::string_view kUser = "user";

std::uint32_t value_size(const char* entry) {
  std::uint32_t size = 0;
  std::memcpy(&size, entry + 2, sizeof size);
  return size;
}

std::size_t key_size(const char* entry) {
  return static_cast<unsigned char>(entry[1]);
}

// As lua/perigee/digits.lua writes a number; nothing for one that is none.
std::string digits(double number) {
  if (std::isnan(number)) {
    return {};
  }
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.14g", number);
  if (std::strtod(text.data(), nullptr) != number) {
    std::snprintf(text.data(), text.size(), "%.17g", number);
  }
  return text.data();
}

DictionaryValue value_at(const char* entry) {
  DictionaryValue value;
  value.kind = static_cast<ValueKind>(entry[0]);
  const char* bytes = entry + kHead + key_size(entry);
  if (value.kind == ValueKind::kNumber) {
    std::memcpy(&value.number, bytes, sizeof value.number);
  } else {
    value.bytes = {bytes, value_size(entry)};
  }
  return value;
}

}  // namespace

bool SessionEntries::next() {
  if (rest_.empty()) {
    return false;
  }
  const std::size_t size = kHead + key_size(rest_.data()) + value_size(rest_.data());
  bytes_ = rest_.substr(0, size);
  key_ = bytes_.substr(kHead, key_size(bytes_.data()));
  rest_.remove_prefix(size);
  return true;
}

DictionaryValue SessionEntries::value() const {
  return value_at(bytes_.data());
}

void SessionEntries::append(std::string& out, std::string_view key, const DictionaryValue& value) {
  const bool number = value.kind == ValueKind::kNumber;
  const std::string_view bytes =
      number ? std::string_view(reinterpret_cast<const char*>(&value.number), sizeof value.number) : value.bytes;
  const auto size = static_cast<std::uint32_t>(bytes.size());
  std::array<char, kHead> head{static_cast<char>(value.kind), static_cast<char>(key.size())};
  std::memcpy(head.data() + 2, &size, sizeof size);
  out.append(head.data(), head.size()).append(key).append(bytes);
}

DictionaryValue SessionEntries::find(std::string_view bytes, std::string_view key) {
  const char* entry = bytes.data();
  for (const char* end = entry + bytes.size(); entry != end; entry += kHead + key_size(entry) + value_size(entry)) {
    if (key_size(entry) == key.size() && std::memcmp(entry + kHead, key.data(), key.size()) == 0) {
      return value_at(entry);
    }
  }
  return {};
}

std::string SessionEntries::merge(std::string_view bytes, std::string_view changes) {
  std::string merged;
  merged.reserve(bytes.size() + changes.size());
  for (SessionEntries old(bytes); old.next();) {
    bool changed = false;
    for (SessionEntries change(changes); !changed && change.next();) {
      changed = change.key() == old.key();
    }
    if (!changed) {
      merged.append(old.bytes());
    }
  }
  for (SessionEntries change(changes); change.next();) {
    if (change.value().kind != ValueKind::kNone) {
      merged.append(change.bytes());
    }
  }
  return merged;
}

bool SessionEntries::is_sound(std::string_view bytes) {
  while (!bytes.empty()) {
    if (bytes.size() < kHead || key_size(bytes.data()) == 0) {
      return false;
    }
    const auto kind = static_cast<ValueKind>(bytes[0]);
    const std::uint32_t value = value_size(bytes.data());
    const bool fits = kind == ValueKind::kNumber ? value == sizeof(double)
                      : kind == ValueKind::kTrue || kind == ValueKind::kFalse
                          ? value == 0
                          : kind == ValueKind::kString || kind == ValueKind::kTable;
    if (!fits || bytes.size() - kHead < key_size(bytes.data()) + std::size_t{value}) {
      return false;
    }
    bytes.remove_prefix(kHead + key_size(bytes.data()) + value);
  }
  return true;
}

std::optional<std::string> SessionEntries::user(std::string_view bytes) {
  for (SessionEntries entry(bytes); entry.next();) {
    if (entry.key() != kUser) {
      continue;
    }
    const DictionaryValue value = entry.value();
    if (value.kind == ValueKind::kNumber) {
      return digits(value.number);
    }
    return value.kind == ValueKind::kString ? std::string(value.bytes) : std::string();
  }
  return std::nullopt;
}

}  // namespace perigee::state
