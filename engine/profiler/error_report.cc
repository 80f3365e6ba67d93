#include "profiler/error_report.h"

#include <cinttypes>
#include <cstdio>

#include "base/escape.h"

namespace perigee::profiler {
namespace {

void append_number(std::string& out, const char* name, std::uint64_t number) {
  std::array<char, 64> text;
  const int size = std::snprintf(text.data(), text.size(), ",\"%s\":%" PRIu64, name, number);
  out.append(text.data(), static_cast<std::size_t>(size));
}

void append_time(std::string& out, const char* name, double seconds) {
  std::array<char, 64> text;
  const int size = std::snprintf(text.data(), text.size(), ",\"%s\":%.3f", name, seconds);
  out.append(text.data(), static_cast<std::size_t>(size));
}

void append_text(std::string& out, const char* name, const std::string& text) {
  out += std::string(out.back() == '{' ? "\"" : ",\"") + name + "\":";
  append_json_string(out, text);
}

void append_places(std::string& out, const char* name, const std::vector<ErrorKind::Place>& places) {
  out += std::string(",\"") + name + "\":{";
  for (const ErrorKind::Place& place : places) {
    out += out.back() == '{' ? "" : ",";
    append_json_string(out, place.name);
    out += ":" + std::to_string(place.count);
  }
  out += "}";
}

}  // namespace

std::string errors_json(const ErrorDesk& desk) {
  const ErrorDesk::Totals totals = desk.totals();
  std::string out = "{\"errors\":[";
  for (const ErrorKind& kind : desk.kinds()) {
    out += out.back() == '[' ? "{" : ",{";
    append_text(out, "signature", kind.signature);
    append_text(out, "message", kind.message);
    append_number(out, "count", kind.count);
    append_time(out, "first_seen", kind.first_seen);
    append_time(out, "last_seen", kind.last_seen);
    append_places(out, "routes", kind.routes);
    append_places(out, "hosts", kind.hosts);
    append_text(out, "traceback", kind.traceback);
    append_text(out, "sample", kind.sample);
    out += "}";
  }
  out += "]";
  append_number(out, "total", totals.errors);
  append_number(out, "ignored", totals.ignored);
  append_number(out, "forgotten_kinds", totals.forgotten_kinds);
  return out + "}";
}

std::string errors_summary(const ErrorDesk& desk) {
  const ErrorDesk::Totals totals = desk.totals();
  const std::vector<ErrorKind> kinds = desk.kinds();
  if (kinds.empty()) {
    return "";
  }
  const std::uint64_t number = totals.kinds + totals.forgotten_kinds;
  return "errors since the start: " + std::to_string(totals.errors) + " of " + std::to_string(number) +
         (number == 1 ? " kind" : " kinds") + ", " + std::to_string(totals.ignored) + " ignored; most often (" +
         std::to_string(kinds.front().count) + "): " + kinds.front().signature;
}

}  // namespace perigee::profiler
