#include "http/sse.h"

namespace perigee::http {
namespace {

constexpr std::string_view kLineEnds = "\r\n";

void append_line(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).push_back('\n');
}

// Splits off the first line of `text`; what is left begins behind its end. False: it was the last, without an end.
bool take_line(std::string_view& text, std::string_view& line) {
  const std::size_t end = text.find_first_of(kLineEnds);
  line = text.substr(0, end);
  if (end == std::string_view::npos) {
    return false;
  }
  const bool pair = text.substr(end, 2) == kLineEnds;
  text.remove_prefix(end + (pair ? 2 : 1));
  return true;
}

}  // namespace

bool is_sse_field(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

SsePlaces append_sse(std::string& out, const SseEvent& event) {
  SsePlaces places;
  const std::size_t begin = out.size();
  if (event.event) {
    append_line(out, "event", *event.event);
  }
  if (event.id) {
    append_line(out, "id", *event.id);
    places.id = out.size() - begin - 1 - event.id->size();
  }
  if (event.retry >= 0) {
    append_line(out, "retry", std::to_string(event.retry));
  }
  if (event.data) {
    std::string_view rest = *event.data;
    std::string_view line;
    while (take_line(rest, line)) {
      append_line(out, "data", line);
      places.one_line = false;
    }
    append_line(out, "data", line);
    places.data = out.size() - begin - 1 - line.size();
  }
  out.push_back('\n');
  return places;
}

}  // namespace perigee::http
