#include "profiler/call_table.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

#include "profiler/script_names.h"
#include "profiler/shown_text.h"
#include "profiler/stack_names.h"

namespace perigee::profiler {

namespace {

template <typename... Values>
std::string formatted(const char* form, Values... values) {
  std::array<char, 256> text{};
  std::snprintf(text.data(), text.size(), form, values...);
  return text.data();
}

std::vector<std::string_view> parts_of(std::string_view text, char mark) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(mark), text.size());
    parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

template <typename Number>
Number number(std::string_view text) {
  Number value{};
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// 1234567 as "1,234,567".
std::string grouped(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3; at -= 3) {
    text.insert(at - 3, ",");
  }
  return text;
}

double seconds(std::int64_t nanoseconds) {
  return static_cast<double>(std::max<std::int64_t>(nanoseconds, 0)) * 1e-9;
}

}  // namespace

CallTable::Key CallTable::key_of(const ScriptPlace& function) {
  const Frame frame = frame_of(function);
  return frame.kind == FrameKind::kBuiltin ? Key{function.name, 0} : Key{frame.file, function.first_line};
}

void CallTable::add(const ScriptPlace& function, const CallCount& count) {
  Row& row = rows_[key_of(function)];
  row.count.nanoseconds += count.nanoseconds;
  row.count.bytes += count.bytes;
  row.count.calls += count.calls;
  if (row.name.empty()) {
    ScriptNames names;
    row.name = frame_of(function).kind == FrameKind::kBuiltin ? function.name : names.of(function);
  }
}

void CallTable::know(const std::string& source, std::int32_t first_line) {
  const Key key = key_of({source, "", 0, first_line});
  if (first_line > 0 && std::find(known_.begin(), known_.end(), key) == known_.end()) {
    known_.push_back(key);
  }
}

void CallTable::read_counts(std::string_view text) {
  for (const std::string_view line : parts_of(text, '\n')) {
    const std::vector<std::string_view> parts = parts_of(line, '\t');
    if (parts.size() == 6) {
      add({std::string(parts[0]), std::string(parts[2]), 0, number<std::int32_t>(parts[1])},
          {number<std::int64_t>(parts[3]), number<std::uint64_t>(parts[4]), number<std::uint64_t>(parts[5])});
    }
  }
}

void CallTable::read_functions(std::string_view text) {
  for (const std::string_view line : parts_of(text, '\n')) {
    const std::vector<std::string_view> parts = parts_of(line, '\t');
    if (parts.size() == 2) {
      know(std::string(parts[0]), number<std::int32_t>(parts[1]));
    }
  }
}

void CallTable::take_collections(const Profile& profile) {
  for (const Sample& sample : profile.samples()) {
    const auto is_collector = [&](std::uint32_t id) { return profile.frames()[id].name == "[garbage collection]"; };
    if (sample.stack.size() < 2 || !is_collector(sample.stack[0])) {
      continue;
    }
    const Frame& below = profile.frames()[sample.stack[1]];
    const Key key = below.kind == FrameKind::kBuiltin ? Key{below.name, 0} : Key{below.file, below.first_line};
    if (const auto row = rows_.find(key); row != rows_.end()) {
      row->second.gc += sample.values.back();
    }
  }
}

void CallTable::write_rows(std::string& out, std::size_t rows) const {
  std::vector<std::map<Key, Row>::const_iterator> sorted;
  for (auto row = rows_.begin(); row != rows_.end(); ++row) {
    sorted.push_back(row);
  }
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](auto a, auto b) { return a->second.count.nanoseconds > b->second.count.nanoseconds; });
  Row all;
  for (const auto row : sorted) {
    const CallCount& count = row->second.count;
    const std::int64_t gc = std::min(row->second.gc, count.nanoseconds);
    all.count.nanoseconds += count.nanoseconds;
    all.count.bytes += count.bytes;
    all.count.calls += count.calls;
    all.gc += gc;
    if (rows == 0) {
      continue;
    }
    --rows;
    const auto& [place, line] = row->first;
    out += formatted("%9.3f | %7.3f | %14s | %11s | %9.6f | ", seconds(count.nanoseconds - gc), seconds(gc),
                     grouped(count.bytes).c_str(), grouped(count.calls).c_str(),
                     seconds(count.nanoseconds) / static_cast<double>(std::max<std::uint64_t>(count.calls, 1)));
    out +=
        shown_text(row->second.name) + (line > 0 ? "  " + shown_text(place) + ":" + std::to_string(line) : "") + "\n";
  }
  out += formatted("%9.3f | %7.3f | %14s | %11s | %9s | total\n", seconds(all.count.nanoseconds - all.gc),
                   seconds(all.gc), grouped(all.count.bytes).c_str(), grouped(all.count.calls).c_str(), "");
}

void CallTable::write_uncalled(std::string& out) const {
  ScriptNames names;
  std::vector<Key> never;
  for (const Key& key : known_) {
    const auto row = rows_.find(key);
    if (row == rows_.end() || row->second.count.calls == 0) {
      never.push_back(key);
    }
  }
  std::sort(never.begin(), never.end());
  out += never.empty() ? "\nEvery function of the app was called.\n" : "\nThese functions were never called:\n";
  for (const auto& [file, line] : never) {
    out += " " + shown_text(names.of({"@" + file, "", line, line})) + "  " + shown_text(file) + ":" +
           std::to_string(line) + "\n";
  }
}

std::string CallTable::text(std::size_t rows) const {
  std::string out =
      formatted("%9s | %7s | %14s | %11s | %9s | %s\n", "seconds", "gc", "consed", "calls", "sec/call", "name");
  out += std::string(79, '-') + "\n";
  write_rows(out, rows);
  write_uncalled(out);
  return out;
}

}  // namespace perigee::profiler
