#include "server/coverage_report.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "server/written_file.h"

namespace perigee::server {
namespace {

namespace fs = std::filesystem;

std::string percent(std::size_t part, std::size_t whole) {
  char text[16];
  std::snprintf(text, sizeof text, "%.1f%%",
                whole == 0 ? 100.0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole));
  return text;
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char byte : text) {
    out += byte == '&'   ? "&amp;"
           : byte == '<' ? "&lt;"
           : byte == '>' ? "&gt;"
           : byte == '"' ? "&quot;"
                         : std::string(1, byte);
  }
  return out;
}

constexpr std::string_view kStyle =
    "body{font:14px/1.5 system-ui,sans-serif;margin:2rem;color:#222;background:#fff}"
    "table{border-collapse:collapse}td,th{padding:.2rem .8rem;text-align:left}td.n,th.n{text-align:right}"
    "pre{font:13px/1.45 ui-monospace,monospace;border:1px solid #ddd;border-radius:4px;padding:.5rem 0;overflow:auto}"
    "pre span{display:block;padding:0 .8rem;min-height:1.45em}pre i{display:inline-block;font-style:normal;color:#888;"
    "width:4em;text-align:right;margin-right:1em;user-select:none}.hit{background:#e3f6e3}.missed{background:#fbdcdc}"
    "@media(prefers-color-scheme:dark){body{background:#1c1c1e;color:#ddd}pre{border-color:#444}"
    ".hit{background:#183a1e}.missed{background:#4a1d20}a{color:#8ab4f8}}";

CoverageReport::File read(const std::string& path, const script::LineCounts& counts) {
  CoverageReport::File file;
  file.path = path;
  std::ifstream in(path);
  for (std::string text; std::getline(in, text);) {
    file.lines.push_back({text, false, 0});
  }
  for (const int line : script::active_lines(path)) {
    const auto at = static_cast<std::size_t>(line);
    if (line < 1 || at > file.lines.size()) {
      continue;  // where a file without a return ends
    }
    CoverageReport::Line& record = file.lines[at - 1];
    record.active = true;
    record.count = at < counts.size() ? counts[at] : 0;
    ++file.active;
    file.hit += record.count > 0 ? 1 : 0;
  }
  return file;
}

std::string row(const char* tag, const std::string& name, std::size_t active, std::size_t hit,
                const std::string& missed) {
  const std::string open = std::string("<") + tag;
  const std::string close = std::string("</") + tag + ">";
  return "<tr>" + open + ">" + name + close + open + " class=n>" + std::to_string(active) + close + open + " class=n>" +
         std::to_string(hit) + close + open + " class=n>" + percent(hit, active) + close + open + ">" + missed + close +
         "</tr>\n";
}

}  // namespace

std::string CoverageReport::File::missed() const {
  std::string text;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (!lines[i].active || lines[i].count > 0) {
      continue;
    }
    std::size_t last = i;  // lines without code between two that did not run belong to them
    for (std::size_t j = i + 1; j < lines.size() && (!lines[j].active || lines[j].count == 0); ++j) {
      last = lines[j].active ? j : last;
    }
    text += (text.empty() ? "" : ", ") + std::to_string(i + 1) + (last > i ? "-" + std::to_string(last + 1) : "");
    i = last;
  }
  return text;
}

CoverageReport::CoverageReport(const std::map<std::string, script::LineCounts>& counts,
                               const std::vector<std::string>& tests) {
  for (const auto& [path, lines] : counts) {
    std::error_code error;
    const std::string normal = fs::path(path).lexically_normal().string();
    if (std::find(tests.begin(), tests.end(), normal) == tests.end() && fs::is_regular_file(path, error)) {
      files_.push_back(read(path, lines));
    }
  }
}

std::string CoverageReport::table() const {
  int width = 5;
  std::size_t active = 0;
  std::size_t hit = 0;
  for (const File& file : files_) {
    width = std::max(width, static_cast<int>(file.path.size()));
    active += file.active;
    hit += file.hit;
  }
  const auto line = [width](const std::string& name, const std::string& lines, const std::string& ran,
                            const std::string& share, const std::string& missed) {
    char text[512];
    std::snprintf(text, sizeof text, "%-*s %6s %6s %7s", width, name.c_str(), lines.c_str(), ran.c_str(),
                  share.c_str());
    return std::string(text) + (missed.empty() ? "" : "  " + missed) + "\n";
  };
  std::string text = line("file", "lines", "ran", "", "not run");
  for (const File& file : files_) {
    text += line(file.path, std::to_string(file.active), std::to_string(file.hit), percent(file.hit, file.active),
                 file.missed());
  }
  return text + line("all", std::to_string(active), std::to_string(hit), percent(hit, active), "");
}

std::string CoverageReport::page() const {
  std::string sources;
  std::string rows;
  std::size_t active = 0;
  std::size_t hit = 0;
  for (const File& file : files_) {
    active += file.active;
    hit += file.hit;
    rows += row("td", "<a href=\"#" + escaped(file.path) + "\">" + escaped(file.path) + "</a>", file.active, file.hit,
                file.missed());
    sources += "<h2 id=\"" + escaped(file.path) + "\">" + escaped(file.path) + " " + percent(file.hit, file.active) +
               "</h2>\n<pre>";
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      const Line& line = file.lines[i];
      const std::string times = line.active ? std::to_string(line.count) + " times" : "no code";
      sources += std::string("<span") +
                 (!line.active     ? ""
                  : line.count > 0 ? " class=hit"
                                   : " class=missed") +
                 " title=\"" + times + "\"><i>" + std::to_string(i + 1) + "</i>" + escaped(line.text) + "</span>";
    }
    sources += "</pre>\n";
  }
  return "<!doctype html>\n<html lang=en><meta charset=utf-8><title>Coverage " + percent(hit, active) +
         "</title>\n<style>" + std::string(kStyle) + "</style>\n<h1>Coverage " + percent(hit, active) +
         "</h1>\n<table>" +
         "<tr><th>file</th><th class=n>lines</th><th class=n>ran</th><th class=n></th><th>not run</th></tr>\n" + rows +
         row("th", "all", active, hit, "") + "</table>\n" + sources + "</html>\n";
}

Result<std::string> CoverageReport::write(const std::string& folder) const {
  std::error_code error;
  fs::create_directories(folder, error);
  const std::string path = (fs::path(folder) / "index.html").string();
  TRY(write_file(path, page()));
  return path;
}

}  // namespace perigee::server
