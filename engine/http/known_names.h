#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "http/folded_name.h"
#include "http/request_head.h"

namespace perigee::http::known_names {

inline constexpr std::size_t kCount = static_cast<std::size_t>(KnownField::kCount);

/// The known names in the order of KnownField.
inline constexpr std::array<std::string_view, kCount> kNames = {"host",
                                                                "connection",
                                                                "content-length",
                                                                "transfer-encoding",
                                                                "content-type",
                                                                "content-encoding",
                                                                "expect",
                                                                "upgrade",
                                                                "cookie",
                                                                "accept",
                                                                "accept-encoding",
                                                                "accept-language",
                                                                "user-agent",
                                                                "referer",
                                                                "origin",
                                                                "authorization",
                                                                "if-none-match",
                                                                "if-modified-since",
                                                                "if-match",
                                                                "if-unmodified-since",
                                                                "if-range",
                                                                "range",
                                                                "cache-control",
                                                                "x-forwarded-for",
                                                                "x-forwarded-proto",
                                                                "x-forwarded-host",
                                                                "forwarded",
                                                                "x-request-id",
                                                                "traceparent",
                                                                "last-event-id"};

inline constexpr int kSlotBits = 7;

/// Mixes both ends blind to the case bit; what else that bit tells apart is left to the comparison.
constexpr std::size_t slot_of(const FoldedName::Ends& ends, std::size_t size, std::uint64_t factor) {
  constexpr std::uint64_t kBlind = 0xdfdfdfdfdfdfdfdf;
  const std::uint64_t mixed = ((ends.first ^ std::rotl(ends.last, 16)) & kBlind) + size;
  return static_cast<std::size_t>((mixed * factor) >> (64 - kSlotBits));
}

constexpr bool separates(std::uint64_t factor) {
  std::array<bool, std::size_t{1} << kSlotBits> taken{};
  for (const std::string_view name : kNames) {
    bool& slot = taken[slot_of(FoldedName::ends_of(name), name.size(), factor)];
    if (slot) {
      return false;
    }
    slot = true;
  }
  return true;
}

/// The first multiplier of a plain sequence that gives every known name a slot of its own.
constexpr std::uint64_t find_factor() {
  std::uint64_t factor = 0x9e3779b97f4a7c15;
  while (!separates(factor)) {
    factor = factor * 6364136223846793005 + 1442695040888963406;
  }
  return factor;
}

inline constexpr std::uint64_t kFactor = find_factor();

constexpr std::array<std::uint8_t, std::size_t{1} << kSlotBits> slots() {
  std::array<std::uint8_t, std::size_t{1} << kSlotBits> table{};
  table.fill(static_cast<std::uint8_t>(KnownField::kCount));
  for (std::size_t i = 0; i < kCount; ++i) {
    table[slot_of(FoldedName::ends_of(kNames[i]), kNames[i].size(), kFactor)] = static_cast<std::uint8_t>(i);
  }
  return table;
}

constexpr std::array<FoldedName, kCount + 1> folded() {
  std::array<FoldedName, kCount + 1> table{};
  for (std::size_t i = 0; i < kCount; ++i) {
    table[i] = FoldedName(kNames[i]);
  }
  return table;
}

inline constexpr auto kSlots = slots();
inline constexpr auto kFolded = folded();  ///< the last is empty and equals no name

/// known_field_of(), for inlining: a perfect hash, then one comparison.
[[nodiscard]] inline KnownField find(std::string_view name) {
  if (name.size() < FoldedName::kShortest) {
    return KnownField::kCount;
  }
  const FoldedName::Ends ends = FoldedName::ends_of(name);
  const std::uint8_t index = kSlots[slot_of(ends, name.size(), kFactor)];
  return kFolded[index].equals(name, ends) ? static_cast<KnownField>(index) : KnownField::kCount;
}

}  // namespace perigee::http::known_names
