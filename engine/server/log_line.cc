#include "server/log_line.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "base/escape.h"
#include "server/time_text.h"

namespace perigee::server {
namespace {

struct Member {
  std::string_view name;   // between its quotes
  std::string_view value;  // as JSON text
};

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kSpace);
  return first == std::string_view::npos ? "" : text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

// The end of the JSON string that starts at `start`, behind its closing quote; npos if it has none.
std::size_t string_end(std::string_view json, std::size_t start) {
  for (std::size_t i = start + 1; i < json.size(); ++i) {
    if (json[i] == '\\') {
      ++i;
    } else if (json[i] == '"') {
      return i + 1;
    }
  }
  return std::string_view::npos;
}

// The end of the member that starts at `start`: a comma or the end of the text; npos if brackets or quotes do not
// close.
std::size_t member_end(std::string_view json, std::size_t start) {
  std::size_t depth = 0;
  std::size_t i = start;
  while (i < json.size() && (json[i] != ',' || depth > 0)) {
    const char c = json[i];
    if (c == '{' || c == '[') {
      ++depth;
    } else if ((c == '}' || c == ']') && depth-- == 0) {
      return std::string_view::npos;
    }
    i = c == '"' ? string_end(json, i) : i + 1;
  }
  return depth == 0 ? i : std::string_view::npos;
}

std::optional<Member> read_member(std::string_view text) {
  const std::string_view member = trim(text);
  const std::size_t name_end = member.starts_with('"') ? string_end(member, 0) : std::string_view::npos;
  if (name_end == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view rest = trim(member.substr(name_end));
  const std::string_view value = rest.starts_with(':') ? trim(rest.substr(1)) : "";
  return value.empty() ? std::nullopt : std::optional(Member{member.substr(1, name_end - 2), value});
}

// The members of a JSON object; nothing if it is none, as far as brackets, quotes and colons tell.
std::optional<std::vector<Member>> members_of(std::string_view json) {
  std::string_view inner = trim(json);
  if (inner.size() < 2 || inner.front() != '{' || inner.back() != '}') {
    return std::nullopt;
  }
  inner = inner.substr(1, inner.size() - 2);
  std::vector<Member> members;
  for (std::size_t start = 0; !trim(inner).empty() && start <= inner.size();) {
    const std::size_t end = member_end(inner, start);
    const std::optional<Member> member =
        end != std::string_view::npos ? read_member(inner.substr(start, end - start)) : std::nullopt;
    if (!member) {
      return std::nullopt;
    }
    members.push_back(*member);
    start = end + 1;
  }
  return members;
}

// JSON text as it is, but on one line and in UTF-8. Controls stand only between tokens and become spaces.
void append_on_line(std::string& out, std::string_view json) {
  while (!json.empty()) {
    const std::size_t length = std::max<std::size_t>(utf8_length(json), 1);
    const auto byte = static_cast<unsigned char>(json[0]);
    if (byte >= 0x80) {
      append_json_escaped(out, json.substr(0, length));
    } else {
      out += byte < 0x20 || byte == 0x7f ? ' ' : json[0];
    }
    json.remove_prefix(length);
  }
}

void append_member(std::string& out, const Member& member) {
  static constexpr std::array<std::string_view, 4> kTaken = {"time", "level", "message", "id"};
  const bool taken = std::find(kTaken.begin(), kTaken.end(), member.name) != kTaken.end();
  out += ",\"";
  append_on_line(out, member.name);
  out += taken ? "_\":" : "\":";
  append_on_line(out, member.value);
}

std::string json_line(const LogEvent& event) {
  std::string out = "{\"time\":\"" + utc_second_text(event.time_ms / 1000);
  append_millisecond(out, event.time_ms);
  (out += "\",\"level\":\"") += level_name(event.level);
  append_json_string(out += "\",\"message\":", event.message);
  if (!event.request_id.empty()) {
    append_json_string(out += ",\"id\":", event.request_id);
  }
  if (const auto members = members_of(event.fields)) {
    std::for_each(members->begin(), members->end(), [&out](const Member& member) { append_member(out, member); });
  } else if (!event.fields.empty()) {
    append_json_string(out += ",\"fields\":", event.fields);
  }
  return out += '}';
}

std::string text_line(const LogEvent& event) {
  std::string out = utc_second_text(event.time_ms / 1000);
  append_millisecond(out, event.time_ms);
  (out += ' ') += level_name(event.level);
  if (!event.request_id.empty()) {
    append_log_escaped(out += " [", event.request_id, false);
    out += ']';
  }
  append_log_escaped(out += ' ', event.message, false);
  if (!event.fields.empty()) {
    append_on_line(out += ' ', event.fields);
  }
  return out;
}

}  // namespace

std::string log_line(LogFormat format, const LogEvent& event) {
  return format == LogFormat::kJson ? json_line(event) : text_line(event);
}

}  // namespace perigee::server
