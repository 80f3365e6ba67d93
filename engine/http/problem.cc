#include "http/problem.h"

#include "base/escape.h"
#include "http/response.h"

namespace perigee::http {
namespace {

void append_member(std::string& out, std::string_view name, std::string_view text) {
  out += out.size() > 1 ? "," : "";
  append_json_string(out, name);
  out += ':';
  append_json_string(out, text);
}

}  // namespace

std::string problem_json(int status, std::string_view detail, std::string_view request_id) {
  std::string out = "{";
  append_member(out, "title", reason_phrase(status));
  out += ",\"status\":" + std::to_string(status);
  if (!detail.empty()) {
    append_member(out, "detail", detail);
  }
  if (!request_id.empty()) {
    append_member(out, "request_id", request_id);
  }
  return out + "}";
}

}  // namespace perigee::http
