#include "server/bench_results.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "server/mann_whitney.h"

namespace perigee::server {
namespace {

constexpr double kSignificant = 0.05;
constexpr int kWidest = 100;  // characters of a name that are shown
constexpr std::string_view kPrefix = "Benchmark";

template <typename... Values>
std::string format(const char* pattern, Values... values) {
  char text[256];
  std::snprintf(text, sizeof text, pattern, values...);
  return text;
}

// As Go's testing package prints a figure: about four digits that mean something.
std::string go_number(double value) {
  constexpr std::array<double, 4> kLeast = {999.95, 99.995, 9.9995, 0.99995};
  constexpr std::array<const char*, 5> kPatterns = {"%10.0f", "%12.1f", "%13.2f", "%14.3f", "%15.4f"};
  std::size_t digits = value == 0 ? 0 : kLeast.size();
  for (std::size_t i = kLeast.size(); i-- > 0;) {
    digits = value >= kLeast[i] ? i : digits;
  }
  return format(kPatterns[digits], value);
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (!line.empty()) {
    const std::size_t start = line.find_first_not_of(" \t\r");
    if (start == std::string_view::npos) {
      break;
    }
    line.remove_prefix(start);
    const std::size_t end = std::min(line.size(), line.find_first_of(" \t\r"));
    words.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
  return words;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

// "964 ns", "1.20 us", "3.5 KiB"
std::string scaled(double value, std::string_view unit) {
  if (unit == "ns/op") {
    constexpr std::array<const char*, 4> kUnits = {"ns", "us", "ms", "s"};
    std::size_t at = 0;
    for (; at + 1 < kUnits.size() && value >= 999.5; ++at) {
      value /= 1000;
    }
    return format(value < 9.995 ? "%.2f%s" : value < 99.95 ? "%.1f%s" : "%.0f%s", value, kUnits[at]);
  }
  if (unit == "B/op" && value >= 1024) {
    return format("%.1fKiB", value / 1024);
  }
  return format(value == std::floor(value) ? "%.0f%s" : "%.1f%s", value, unit == "B/op" ? "B" : "");
}

// The median with how far the values go from it.
std::string shown(const std::vector<double>& values, std::string_view unit) {
  const double middle = median(values);
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  const double spread = middle == 0 ? 0 : std::max(*high - middle, middle - *low) / middle * 100;
  return scaled(middle, unit) + (values.size() > 1 ? format(" +-%.0f%%", spread) : "");
}

std::string delta(const std::vector<double>& before, const std::vector<double>& after) {
  const double p = mann_whitney_p(before, after);
  const double old_middle = median(before);
  const double new_middle = median(after);
  const std::string change = p >= kSignificant ? "~"
                             : old_middle == 0 ? "?"
                                               : format("%+.2f%%", (new_middle / old_middle - 1) * 100);
  return format("%9s  (p=%.3f n=%zu+%zu)", change.c_str(), p, before.size(), after.size());
}

bool names_files(const BenchRuns& runs) {
  return std::any_of(runs.names.begin(), runs.names.end(), [](const auto& name) { return !name.first.empty(); });
}

// The same runs by the benchmarks' names alone.
BenchRuns without_files(const BenchRuns& runs) {
  BenchRuns all;
  for (const BenchRuns::Name& name : runs.names) {
    const BenchRuns::Name bare("", name.second);
    if (!all.values.contains(bare)) {
      all.names.push_back(bare);
    }
    for (const auto& [unit, values] : runs.values.at(name)) {
      auto& list = all.values[bare][unit];
      list.insert(list.end(), values.begin(), values.end());
    }
  }
  return all;
}

/// Tables of what two texts have in common.
struct Comparison {
  const BenchRuns& before;
  const BenchRuns& after;
  int width = 4;     ///< of the names
  bool few = false;  ///< some benchmark has too few runs to tell anything

  /// A line for each benchmark of the file that both have with that unit.
  [[nodiscard]] std::string rows(const std::string& file, const std::string& unit);
  /// Those of a file, a table for each unit.
  [[nodiscard]] std::string tables_of(const std::string& file);
};

std::string Comparison::rows(const std::string& file, const std::string& unit) {
  std::string text;
  for (const BenchRuns::Name& name : before.names) {
    const auto& old_runs = before.values.at(name);
    const auto new_runs = after.values.find(name);
    if (name.first != file || new_runs == after.values.end() || !old_runs.contains(unit) ||
        !new_runs->second.contains(unit)) {
      continue;
    }
    const std::vector<double>& a = old_runs.at(unit);
    const std::vector<double>& b = new_runs->second.at(unit);
    few = few || a.size() < 4 || b.size() < 4;
    text += format("%-*s  %16s  %16s  %s\n", width, name.second.substr(0, kWidest).c_str(), shown(a, unit).c_str(),
                   shown(b, unit).c_str(), delta(a, b).c_str());
  }
  return text;
}

std::string Comparison::tables_of(const std::string& file) {
  std::string text;
  for (const std::string unit : {"ns/op", "B/op", "allocs/op"}) {
    if (const std::string lines = rows(file, unit); !lines.empty()) {
      text +=
          (text.empty() ? "" : "\n") +
          format("%-*s  %16s  %16s  %9s\n", width, "name", ("old " + unit).c_str(), ("new " + unit).c_str(), "delta") +
          lines;
    }
  }
  return text;
}

}  // namespace

std::string bench_line(const BenchResult& result, unsigned processors) {
  const std::string name =
      std::string(kPrefix) + result.name + (processors > 1 ? "-" + std::to_string(processors) : "");
  return name + format("\t%8lld\t%s ns/op\t%8.0f B/op\t%8.0f allocs/op\n", static_cast<long long>(result.n),
                       go_number(result.ns).c_str(), result.bytes, result.allocations);
}

std::string bench_noise(const BenchResult& result) {
  const double percent = result.ns == 0 ? 0 : (result.slowest - result.fastest) / 2 / result.ns * 100;
  return result.name +
         format(": +-%.1f%% between rounds, %.4g to %.4g ns/op\n", percent, result.fastest, result.slowest);
}

BenchRuns read_bench(std::string_view text) {
  BenchRuns runs;
  std::string package;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const auto words = words_of(line);
    if (words.size() == 2 && words[0] == "pkg:") {
      package = words[1];
    }
    if (words.size() < 4 || !words[0].starts_with(kPrefix)) {
      continue;
    }
    const BenchRuns::Name name(package, words[0].substr(kPrefix.size()));
    for (std::size_t i = 2; i + 1 < words.size(); i += 2) {
      double value = 0;
      const auto read = std::from_chars(words[i].data(), words[i].data() + words[i].size(), value);
      if (read.ec == std::errc() && std::isfinite(value)) {
        if (!runs.values.contains(name)) {
          runs.names.push_back(name);
        }
        runs.values[name][std::string(words[i + 1])].push_back(value);
      }
    }
  }
  return runs;
}

std::string compare_bench(const BenchRuns& before, const BenchRuns& after) {
  if (names_files(before) != names_files(after)) {
    return compare_bench(without_files(before), without_files(after));
  }
  Comparison comparison{before, after};
  std::vector<std::string> files;
  for (const auto& [file, name] : before.names) {
    comparison.width = std::clamp(static_cast<int>(name.size()), comparison.width, kWidest);
    if (std::find(files.begin(), files.end(), file) == files.end()) {
      files.push_back(file);
    }
  }
  std::string text;
  for (const std::string& file : files) {
    const std::string tables = comparison.tables_of(file);
    if (!tables.empty()) {
      text += (text.empty() ? "" : "\n") + (files.size() > 1 ? "pkg: " + file + "\n" : "") + tables;
    }
  }
  if (comparison.few && !text.empty()) {
    text += "\nFewer than four runs of each can't be told from chance: use --count 4 or more.\n";
  }
  return text;
}

}  // namespace perigee::server
