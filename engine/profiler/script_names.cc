#include "profiler/script_names.h"

#include <fstream>
#include <regex>

namespace perigee::profiler {

namespace {

constexpr std::size_t kMostFiles = 256;
constexpr std::size_t kMostLines = 65536;  // of a file; the functions after them are named as they were called

std::string file_of(const ScriptPlace& place) {
  return place.source.starts_with('@') ? place.source.substr(1) : std::string();
}

std::string last_part(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

std::string place_name(const ScriptPlace& place) {
  const bool is_named = place.source.starts_with('@') || place.source.starts_with('=');
  const std::string file = last_part(is_named ? place.source.substr(1) : "(load)");
  return place.first_line > 0 ? file + ":" + std::to_string(place.first_line) : "main chunk of " + file;
}

std::vector<std::string> read_lines(const std::string& file) {
  std::vector<std::string> lines;
  std::ifstream in(file);
  for (std::string line; lines.size() < kMostLines && std::getline(in, line);) {
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace

std::string defined_name(std::string_view line) {
  static const std::regex named(R"(\bfunction\s+([A-Za-z_][\w.:]*)\s*\()");
  static const std::regex assigned(R"(([A-Za-z_][\w.]*)\s*=\s*function\s*\()");
  static const std::regex given(R"(([A-Za-z_]\w*)\s*\(\s*(["'])([^"']*)\2\s*,.*\bfunction\s*\()");
  std::match_results<std::string_view::const_iterator> found;
  if (std::regex_search(line.begin(), line.end(), found, named) ||
      std::regex_search(line.begin(), line.end(), found, assigned)) {
    return found[1].str();
  }
  if (std::regex_search(line.begin(), line.end(), found, given)) {
    return found[1].str() + " \"" + found[3].str() + "\"";
  }
  return "";
}

std::string_view ScriptNames::line_of(const std::string& file, std::int32_t line) {
  auto known = files_.find(file);
  if (known == files_.end() && files_.size() < kMostFiles) {
    known = files_.emplace(file, read_lines(file)).first;
  }
  const auto index = static_cast<std::size_t>(line) - 1;
  return known != files_.end() && index < known->second.size() ? std::string_view(known->second[index])
                                                               : std::string_view();
}

std::string ScriptNames::find(const ScriptPlace& place) {
  constexpr std::size_t kLongest = 1000;  // bytes of a line that are looked at
  const std::string file = file_of(place);
  if (place.first_line > 0 && !file.empty()) {
    if (std::string name = defined_name(line_of(file, place.first_line).substr(0, kLongest)); !name.empty()) {
      return name;
    }
  }
  return place.name.empty() || place.first_line == 0 ? place_name(place) : place.name;
}

const std::string& ScriptNames::of(const ScriptPlace& place) {
  const std::string key = place.source + ":" + std::to_string(place.first_line);
  const auto known = names_.find(key);
  return known != names_.end() ? known->second : names_.emplace(key, find(place)).first->second;
}

}  // namespace perigee::profiler
