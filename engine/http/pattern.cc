#include "http/pattern.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/escape.h"
#include "base/nearest.h"

namespace perigee::http {
namespace {

constexpr std::array<PathType, 9> kTypes = {PathType::kString,  PathType::kInteger, PathType::kNumber,
                                            PathType::kBoolean, PathType::kUuid,    PathType::kDate,
                                            PathType::kJson,    PathType::kKeyword, PathType::kSlug};

std::string quoted(std::string_view text) {
  return "'" + std::string(text) + "'";
}

/// The name of the type that was meant: one that begins with what was written, or the nearest; empty for none.
std::string_view meant_by(std::string_view written) {
  std::array<std::string_view, kTypes.size()> names;
  std::transform(kTypes.begin(), kTypes.end(), names.begin(), path_type_name);
  const auto begun =
      std::find_if(names.begin(), names.end(), [&](std::string_view name) { return name.starts_with(written); });
  return begun != names.end() && !written.empty() ? *begun : nearest(written, names);
}

std::string unknown_type(std::string_view written, const std::vector<std::string>& custom) {
  std::string message = "unknown type " + quoted(written);
  if (const std::string_view meant = meant_by(written); !meant.empty()) {
    return message + ", did you mean " + quoted(meant) + "?";
  }
  message += "; the types are";
  for (const PathType type : kTypes) {
    message += std::string(type == kTypes[0] ? " " : ", ") + std::string(path_type_name(type));
  }
  for (const std::string& name : custom) {
    message += ", " + name;
  }
  return message;
}

bool is_identifier(std::string_view text) {
  const auto letter = [](char byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_';
  };
  return !text.empty() && letter(text[0]) &&
         std::all_of(text.begin(), text.end(), [&](char byte) { return letter(byte) || (byte >= '0' && byte <= '9'); });
}

/// Sets the type of the parameter to the one called `name`.
Result<> set_type(PatternParameter& parameter, std::string_view name, const std::vector<std::string>& custom) {
  if (const std::optional<PathType> known = path_type_of(name)) {
    parameter.type = *known;
    return {};
  }
  const auto own = std::find(custom.begin(), custom.end(), name);
  if (own == custom.end()) {
    return fail(unknown_type(name, custom));
  }
  parameter.type = PathType::kCustom;
  parameter.custom = static_cast<std::int32_t>(own - custom.begin());
  return {};
}

/// Reads what stands between braces: name, name:type or name*.
Result<PatternParameter> parse_parameter(std::string_view text, const std::vector<std::string>& custom) {
  PatternParameter parameter;
  const std::size_t colon = std::min(text.find(':'), text.size());
  std::string_view name = text.substr(0, colon);
  const bool starred = !text.empty() && text.back() == '*';
  if (starred && colon < text.size()) {
    return fail("a rest parameter has no type: " + quoted(text));
  }
  parameter.rest = starred;
  name.remove_suffix(starred ? 1 : 0);
  if (!is_identifier(name)) {
    return fail("a parameter's name is made of letters, digits and _: " + quoted(text));
  }
  parameter.name = name;
  if (colon < text.size()) {
    if (auto typed = set_type(parameter, text.substr(colon + 1), custom); !typed) {
      return fail(typed.error().message);
    }
  }
  return parameter;
}

bool is_named(const Pattern& pattern, std::string_view name) {
  return std::any_of(pattern.parameters.begin(), pattern.parameters.end(),
                     [&](const PatternParameter& parameter) { return parameter.name == name; });
}

/// Reads one segment and puts it behind those before it.
Result<> append_segment(Pattern& pattern, std::string_view text, const std::vector<std::string>& custom) {
  if (text.find_first_of("{}") == std::string_view::npos) {
    pattern.segments.push_back({std::string(text), -1});
    return {};
  }
  if (std::count(text.begin(), text.end(), '{') != 1 || std::count(text.begin(), text.end(), '}') != 1 ||
      text.find('{') > text.find('}')) {
    return fail("unbalanced braces in " + quoted(text));
  }
  if (text.front() != '{' || text.back() != '}') {
    return fail("a parameter takes a whole segment, which " + quoted(text) + " does not");
  }
  Result<PatternParameter> parameter = parse_parameter(text.substr(1, text.size() - 2), custom);
  if (!parameter) {
    return fail(std::move(parameter).error().message);
  }
  if (is_named(pattern, parameter->name)) {
    return fail("two parameters are called " + quoted(parameter->name));
  }
  if (pattern.parameters.size() == Pattern::kMaxParameters) {
    return fail("more than " + std::to_string(Pattern::kMaxParameters) + " parameters");
  }
  pattern.segments.push_back({"", static_cast<std::int32_t>(pattern.parameters.size())});
  pattern.parameters.push_back(*std::move(parameter));
  return {};
}

}  // namespace

Result<Pattern> Pattern::parse(std::string_view text, const std::vector<std::string>& custom) {
  const auto wrong = [text](const std::string& why) { return fail("pattern " + quoted(text) + ": " + why); };
  if (text.empty() || text[0] != '/') {
    return wrong("it does not begin with a slash");
  }
  if (!is_utf8(text)) {
    return wrong("it is not UTF-8");
  }
  Pattern pattern;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('/', at + 1), text.size());
    if (!pattern.parameters.empty() && pattern.parameters.back().rest) {
      return wrong("a rest parameter stands last");
    }
    const Result<> appended = append_segment(pattern, text.substr(at + 1, end - at - 1), custom);
    if (!appended) {
      return wrong(appended.error().message);
    }
    at = end;
  }
  return pattern;
}

}  // namespace perigee::http
