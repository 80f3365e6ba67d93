#include "profiler/folded.h"

#include <algorithm>
#include <map>

#include "profiler/shown_text.h"

namespace perigee::profiler {

namespace {

std::string word(std::string_view text) {
  std::string out = shown_text(text);
  std::replace(out.begin(), out.end(), ';', '_');
  return out;
}

std::string line_of(const Profile& profile, const Sample& sample) {
  std::string line;
  for (const Label& label : profile.label_sets()[sample.labels]) {
    if (label.key == "worker") {
      line = word(label.text);
    }
  }
  for (auto id = sample.stack.rbegin(); id != sample.stack.rend(); ++id) {
    line += line.empty() ? "" : ";";
    line += folded_name(profile.frames()[*id]);
  }
  return line;
}

}  // namespace

std::string folded_name(const Frame& frame) {
  std::string name = word(frame.name);
  if (frame.line > 0 && !frame.file.empty()) {
    name += " " + word(frame.file) + ":" + std::to_string(frame.line);
  }
  return name;
}

std::string write_folded(const Profile& profile, std::size_t type) {
  std::map<std::string, std::int64_t> lines;
  for (const Sample& sample : profile.samples()) {
    lines[line_of(profile, sample)] += sample.values[type];
  }
  std::string out;
  for (const auto& [line, value] : lines) {
    out += line + " " + std::to_string(value) + "\n";
  }
  return out;
}

}  // namespace perigee::profiler
