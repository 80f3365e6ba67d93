#include "profiler/top_table.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <tuple>
#include <unordered_set>
#include <vector>

#include "profiler/shown_text.h"

namespace perigee::profiler {

namespace {

struct Row {
  Frame frame;
  std::int64_t self = 0;
  std::int64_t near =
      0;  // of a line: what it spent in native functions and the collector, which have no line of their own
  std::int64_t whole = 0;

  [[nodiscard]] std::int64_t rank() const { return std::max(self, near); }
};

template <typename... Values>
std::string formatted(const char* form, Values... values) {
  std::array<char, 512> text{};
  std::snprintf(text.data(), text.size(), form, values...);
  return text.data();
}

bool is_line(const Frame& frame) {
  return frame.kind == FrameKind::kLua && frame.line > 0;
}

// The frames' rows, by id. Of native functions the whole is one row; of Lua a line is.
std::vector<std::size_t> rows_by_frame(const Profile& profile, std::vector<Row>& rows) {
  std::map<std::tuple<std::string, std::string, std::int32_t>, std::size_t> known;
  std::vector<std::size_t> by_frame;
  for (Frame frame : profile.frames()) {
    if (frame.kind == FrameKind::kNative) {
      frame.line = frame.first_line = 0;
    }
    const auto [row, added] = known.try_emplace({frame.name, frame.file, frame.line}, rows.size());
    if (added) {
      rows.push_back({frame});
    }
    by_frame.push_back(row->second);
  }
  return by_frame;
}

// A recursion counts once.
std::vector<Row> rows_of(const Profile& profile, std::size_t type) {
  std::vector<Row> rows;
  const std::vector<std::size_t> by_frame = rows_by_frame(profile, rows);
  for (const Sample& sample : profile.samples()) {
    const std::int64_t value = sample.values[type];
    std::unordered_set<std::size_t> through;
    for (const std::uint32_t id : sample.stack) {
      rows[by_frame[id]].whole += through.insert(by_frame[id]).second ? value : 0;
    }
    if (sample.stack.empty()) {
      continue;
    }
    rows[by_frame[sample.stack.front()]].self += value;
    const auto line = std::find_if(sample.stack.begin(), sample.stack.end(),
                                   [&](std::uint32_t id) { return is_line(profile.frames()[id]); });
    const bool has_place = std::any_of(sample.stack.begin(), line, [&](std::uint32_t id) {
      const Frame& frame = profile.frames()[id];
      return frame.kind != FrameKind::kNative && frame.line > 0;
    });
    if (line != sample.stack.end() && !has_place) {
      rows[by_frame[*line]].near += value;
    }
  }
  std::erase_if(rows, [](const Row& row) { return row.rank() == 0; });
  std::stable_sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
    return a.rank() != b.rank() ? a.rank() > b.rank() : is_line(a.frame) && !is_line(b.frame);
  });
  return rows;
}

std::string place_of(const Frame& frame) {
  return frame.file.empty() ? std::string() : frame.file + (frame.line > 0 ? ":" + std::to_string(frame.line) : "");
}

double share(std::int64_t part, std::int64_t whole) {
  return whole > 0 ? 100.0 * static_cast<double>(part) / static_cast<double>(whole) : 0;
}

}  // namespace

std::string amount_text(std::int64_t value, const std::string& unit) {
  const auto number = static_cast<double>(value);
  if (unit == "nanoseconds") {
    return number == 0     ? "0 s"
           : number >= 1e9 ? formatted("%.2f s", number / 1e9)
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
      const Frame& frame = all[i].frame;
      if (i >= rows) {
        rest += all[i].self;
        continue;
      }
      out += formatted("%12s %6.1f %12s %6.1f  ", amount_text(all[i].self, unit).c_str(), share(all[i].self, total),
                       amount_text(all[i].whole, unit).c_str(), share(all[i].whole, total));
      out += shown_text(frame.name) + (place_of(frame).empty() ? "" : "  " + shown_text(place_of(frame))) + "\n";
    }
    if (rest > 0) {
      out += formatted("%12s %6.1f %12s %6s  %zu more\n", amount_text(rest, unit).c_str(), share(rest, total), "", "",
                       all.size() - rows);
    }
  }
  for (const std::string& comment : profile.comments) {
    out += shown_text(comment) + "\n";
  }
  return out;
}

}  // namespace perigee::profiler
