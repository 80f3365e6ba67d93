#include "server/test_report.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <map>

#include "base/escape.h"

namespace perigee::server {
namespace {

char mark_of(std::string_view status) {
  return status == "success" ? '.' : status == "pending" ? 'P' : status == "failure" ? 'F' : 'E';
}

// The colour of a status, as terminals number them; "place" and "name" are no statuses.
const char* colour_of(std::string_view status) {
  return status == "success"   ? "32"
         : status == "failure" ? "31"
         : status == "error"   ? "35"
         : status == "pending" ? "33"
         : status == "place"   ? "36"
                               : "1";
}

// A text as the content or an attribute of an XML element; bytes that XML 1.0 has no place for become '?'.
std::string xml(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t size = utf8_length(text);
    const char byte = size == 0 ? '\0' : text.front();
    if (size > 1) {
      const bool is_none = text.starts_with("\xef\xbf\xbe") || text.starts_with("\xef\xbf\xbf");
      out.append(is_none ? "?" : text.substr(0, size));
      text.remove_prefix(size);
      continue;
    }
    text.remove_prefix(1);
    switch (byte) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\n':
        out += "&#10;";
        break;
      default:
        out += static_cast<unsigned char>(byte) < 0x20 && byte != '\t' ? '?' : byte;
    }
  }
  return out;
}

// A text as it is shown on a terminal: no byte of a test's moves the cursor or changes colours.
std::string shown(std::string_view text) {
  std::string out;
  append_terminal_text(out, text);
  return out;
}

int line_of(std::string_view place) {
  int line = 0;
  const std::string_view digits = place.substr(place.rfind(':') + 1);
  std::from_chars(digits.data(), digits.data() + digits.size(), line);
  return line;
}

std::string seconds_text(double seconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6f", seconds);
  return text;
}

}  // namespace

bool TestReport::shows_colours() {
  const char* const refused = std::getenv("NO_COLOR");
  const char* const terminal = std::getenv("TERM");
  return isatty(STDOUT_FILENO) == 1 && (refused == nullptr || *refused == '\0') &&
         (terminal == nullptr || std::string_view(terminal) != "dumb");
}

std::string TestReport::painted(const std::string& text, std::string_view status) const {
  return in_colours_ ? std::string("\x1b[") + colour_of(status) + "m" + text + "\x1b[0m" : text;
}

// "2 failures"; a number that is not 0 has the status's colour.
std::string TestReport::counted(std::string_view status, const char* one, const char* many) const {
  const std::size_t number = count(status);
  const std::string text = std::to_string(number) + " " + (number == 1 ? one : many);
  return number == 0 ? text : painted(text, status);
}

void TestReport::keep(const std::string& file, const Outcome& outcome) {
  const std::lock_guard lock(mutex_);
  entries_.push_back({file, outcome});
}

void TestReport::add(const std::string& file, const Outcome& outcome) {
  const std::lock_guard lock(mutex_);
  entries_.push_back({file, outcome});
  std::fputs(painted(std::string(1, mark_of(outcome.status)), outcome.status).c_str(), stdout);
  std::fflush(stdout);
}

std::size_t TestReport::count(std::string_view status) const {
  return static_cast<std::size_t>(
      std::count_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.outcome.status == status; }));
}

bool TestReport::failed() const {
  const std::lock_guard lock(mutex_);
  return count("success") + count("pending") != entries_.size();
}

bool TestReport::empty() const {
  const std::lock_guard lock(mutex_);
  return entries_.empty();
}

void TestReport::print_summary(double seconds, std::int64_t seed) {
  const std::lock_guard lock(mutex_);
  std::stable_sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
    return std::pair(a.file, line_of(a.outcome.place)) < std::pair(b.file, line_of(b.outcome.place));
  });
  std::printf("\n%s / %s / %s / %s : %s seconds, seed %lld\n", counted("success", "success", "successes").c_str(),
              counted("failure", "failure", "failures").c_str(), counted("error", "error", "errors").c_str(),
              counted("pending", "pending", "pending").c_str(), seconds_text(seconds).c_str(),
              static_cast<long long>(seed));
  for (const Entry& entry : entries_) {
    const Outcome& outcome = entry.outcome;
    if (outcome.status == "success") {
      continue;
    }
    const char* title = outcome.status == "failure" ? "Failure" : outcome.status == "error" ? "Error" : "Pending";
    std::printf("\n%s -> %s\n%s\n", painted(title, outcome.status).c_str(),
                painted(shown(outcome.place), "place").c_str(), painted(shown(outcome.name), "name").c_str());
    if (!outcome.message.empty()) {
      std::printf("%s%s", shown(outcome.message).c_str(), outcome.message.ends_with('\n') ? "" : "\n");
    }
  }
  std::fflush(stdout);
}

std::string TestReport::junit(double seconds) const {
  const std::lock_guard lock(mutex_);
  std::map<std::string, std::vector<const Outcome*>> suites;
  for (const Entry& entry : entries_) {
    suites[entry.file].push_back(&entry.outcome);
  }
  const auto counts = [](std::size_t all, std::size_t failures, std::size_t errors, std::size_t pending) {
    return " tests=\"" + std::to_string(all) + "\" failures=\"" + std::to_string(failures) + "\" errors=\"" +
           std::to_string(errors) + "\" skipped=\"" + std::to_string(pending) + "\"";
  };
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites" +
                    counts(entries_.size(), count("failure"), count("error"), count("pending")) + " time=\"" +
                    seconds_text(seconds) + "\">\n";
  for (const auto& [file, outcomes] : suites) {
    const auto of = [&outcomes](std::string_view status) {
      return static_cast<std::size_t>(
          std::count_if(outcomes.begin(), outcomes.end(), [&](const Outcome* o) { return o->status == status; }));
    };
    double time = 0;
    for (const Outcome* outcome : outcomes) {
      time += outcome->seconds;
    }
    out += "  <testsuite name=\"" + xml(file) + "\"" +
           counts(outcomes.size(), of("failure"), of("error"), of("pending")) + " time=\"" + seconds_text(time) +
           "\">\n";
    for (const Outcome* outcome : outcomes) {
      out += "    <testcase classname=\"" + xml(file) + "\" name=\"" + xml(outcome->name) + "\" time=\"" +
             seconds_text(outcome->seconds) + "\"";
      if (outcome->status == "success") {
        out += "/>\n";
      } else if (outcome->status == "pending") {
        out += "><skipped message=\"" + xml(outcome->message) + "\"/></testcase>\n";
      } else {
        out += "><" + outcome->status + " message=\"" + xml(outcome->message.substr(0, outcome->message.find('\n'))) +
               "\">" + xml(outcome->place + "\n" + outcome->message) + "</" + outcome->status + "></testcase>\n";
      }
    }
    out += "  </testsuite>\n";
  }
  return out + "</testsuites>\n";
}

}  // namespace perigee::server
