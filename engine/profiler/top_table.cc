#include "profiler/top_table.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <unordered_set>
#include <vector>

namespace perigee::profiler {

namespace {

struct Row {
  std::uint32_t frame = 0;
  std::int64_t self = 0;
  std::int64_t whole = 0;
};

template <typename... Values>
std::string formatted(const char* form, Values... values) {
  std::array<char, 512> text{};
  std::snprintf(text.data(), text.size(), form, values...);
  return text.data();
}

// A recursion counts once.
std::vector<Row> rows_of(const Profile& profile, std::size_t type) {
  std::vector<Row> rows(profile.frames().size());
  for (std::uint32_t id = 0; id < rows.size(); ++id) {
    rows[id].frame = id;
  }
  for (const Sample& sample : profile.samples()) {
    const std::int64_t value = sample.values[type];
    if (!sample.stack.empty()) {
      rows[sample.stack.front()].self += value;
    }
    for (const std::uint32_t id : std::unordered_set<std::uint32_t>(sample.stack.begin(), sample.stack.end())) {
      rows[id].whole += value;
    }
  }
  std::erase_if(rows, [](const Row& row) { return row.self == 0; });
  std::stable_sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.self > b.self; });
  return rows;
}

std::string place_of(const Frame& frame) {
  return frame.file.empty() ? std::string() : frame.file + (frame.line > 0 ? ":" + std::to_string(frame.line) : "");
}

double share(std::int64_t part, std::int64_t whole) {
  return whole > 0 ? 100.0 * static_cast<double>(part) / static_cast<double>(whole) : 0;
}

// Terminals obey control characters.
std::string shown(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](unsigned char byte) { return byte < 0x20 || byte == 0x7f; }, '?');
  return text;
}

}  // namespace

std::string amount_text(std::int64_t value, const std::string& unit) {
  const auto number = static_cast<double>(value);
  if (unit == "nanoseconds") {
    return number >= 1e9   ? formatted("%.2f s", number / 1e9)
           : number >= 1e6 ? formatted("%.1f ms", number / 1e6)
                           : formatted("%.1f us", number / 1e3);
  }
  if (unit == "bytes") {
    return number >= 1 << 30   ? formatted("%.1f GiB", number / (1 << 30))
           : number >= 1 << 20 ? formatted("%.1f MiB", number / (1 << 20))
           : number >= 1 << 10 ? formatted("%.1f KiB", number / (1 << 10))
                               : formatted("%lld B", static_cast<long long>(value));
  }
  return std::to_string(value);
}

std::string write_top_table(const Profile& profile, std::size_t type, std::size_t rows) {
  const std::string& unit = profile.types()[type].unit;
  std::int64_t total = 0;
  for (const Sample& sample : profile.samples()) {
    total += sample.values[type];
  }
  std::string out;
  if (total == 0) {
    out = "nothing was recorded: was the server idle?\n";
  } else {
    out = amount_text(total, unit) + " of " + profile.types()[type].name + " in " +
          amount_text(profile.duration, "nanoseconds") + "\n\n";
    out += formatted("%12s %6s %12s %6s  %s\n", "self", "%", "with callees", "%", "function");
    const std::vector<Row> all = rows_of(profile, type);
    std::int64_t rest = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
      const Frame& frame = profile.frames()[all[i].frame];
      if (i >= rows) {
        rest += all[i].self;
        continue;
      }
      out += formatted("%12s %6.1f %12s %6.1f  ", amount_text(all[i].self, unit).c_str(), share(all[i].self, total),
                       amount_text(all[i].whole, unit).c_str(), share(all[i].whole, total));
      out += shown(frame.name) + (place_of(frame).empty() ? "" : "  " + shown(place_of(frame))) + "\n";
    }
    if (rest > 0) {
      out += formatted("%12s %6.1f %12s %6s  %zu more\n", amount_text(rest, unit).c_str(), share(rest, total), "", "",
                       all.size() - rows);
    }
  }
  for (const std::string& comment : profile.comments) {
    out += shown(comment) + "\n";
  }
  return out;
}

}  // namespace perigee::profiler
