#include "server/config_loader.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <sstream>
#include <utility>

#include "base/escape.h"
#include "server/config_expansion.h"
#include "server/config_mistakes.h"
#include "server/config_value.h"
#include "server/option_checks.h"
#include "server/option_lookup.h"
#include "server/place_checks.h"

#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

namespace perigee::server {
namespace {

constexpr std::size_t kMostConfigBytes = std::size_t{16} << 20;

ConfigPlace place_of(const toml::source_region& region) {
  if (region.path == nullptr || *region.path == ConfigPlace::kCommandLine) {
    return {};
  }
  return {*region.path, static_cast<int>(region.begin.line), static_cast<int>(region.begin.column)};
}

std::string kind_of(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "a list";
    case toml::node_type::string:
      return "a string";
    case toml::node_type::integer:
      return "an integer";
    case toml::node_type::floating_point:
      return "a float";
    case toml::node_type::boolean:
      return "a boolean";
    case toml::node_type::date:
    case toml::node_type::time:
    case toml::node_type::date_time:
      return "a date or time";
    case toml::node_type::none:
      break;
  }
  return "nothing";
}

// A parser's message without the pieces of values in it, which may be secrets: what it "saw" beyond one character, and
// numbers it could not hold.
std::string without_values(std::string_view description) {
  std::string out;
  while (!description.empty()) {
    const std::size_t open = std::min(description.find('\''), description.size());
    const std::size_t close = std::min(description.find('\'', open + 1), description.size());
    if (close == description.size()) {
      out += description;
      break;
    }
    const std::string_view quoted = description.substr(open, close + 1 - open);
    const bool value = description.substr(0, open).ends_with("saw ") ||
                       description.substr(close + 1).starts_with(" is not representable");
    out += description.substr(0, open);
    out += value && quoted.size() > 4 && quoted[1] != '\\' ? std::string_view("that") : quoted;
    description.remove_prefix(close + 1);
  }
  return out;
}

// Reads file and overrides into one set of options, and gathers the mistakes.
class Loader {
 public:
  void read_config(const std::string& path);
  void read_override(const std::string& text);
  [[nodiscard]] tl::expected<Options, std::vector<ConfigMistake>> finish(Checks checks);

 private:
  using Origin = ConfigMistakes::Origin;

  void read_sections(toml::table& root);
  void read_section(const std::string& section, const toml::table& table);
  void read_option(const OptionSpec& spec, const toml::node& node);
  void read_option(const OptionSpec& spec, const toml::node& node, Options& into);
  void read_dictionary(const std::string& name, const ConfigPlace& place, const toml::table& table);
  void read_dictionary_override(const std::string& key, const toml::table& document);
  void read_app_override(std::string_view key, toml::node& value);
  void check_together(Checks checks);
  [[nodiscard]] std::optional<std::string> expanded(const toml::node& node);
  [[nodiscard]] std::optional<ConfigValue> value_of(const OptionSpec& spec, const toml::node& node, Origin& origin);
  [[nodiscard]] std::optional<ConfigValue> list_of(const OptionSpec& spec, const toml::array& array, Origin& origin);

  void append_json(std::string& out, const toml::node& node);
  void append_json(std::string& out, const toml::table& table);
  void append_json(std::string& out, const toml::array& array);
  void append_json_float(std::string& out, const toml::node& node, double number);

  Options options_;
  toml::table app_;
  ConfigMistakes mistakes_;
  bool unread_ = false;  // the file, for a mistake that hides the rest of it
};

void Loader::read_config(const std::string& path) {
  const Result<std::string> text = read_file(path, kMostConfigBytes);
  unread_ = true;
  if (!text) {
    mistakes_.add({path, 0, 0}, "the configuration cannot be read: " + text.error().message);
    return;
  }
  toml::parse_result parsed = toml::parse(*text, path);
  if (!parsed) {
    const toml::source_position at = parsed.error().source().begin;
    mistakes_.add({path, static_cast<int>(at.line), static_cast<int>(at.column)},
                  without_values(parsed.error().description()));
    return;
  }
  unread_ = false;
  read_sections(parsed.table());
}

void Loader::read_sections(toml::table& root) {
  for (auto&& [key, node] : root) {
    const std::string name(key.str());
    toml::table* table = node.as_table();
    if (is_section(name)) {
      if (table == nullptr) {
        mistakes_.add(place_of(key.source()), "[" + name + "] is a section, not " + kind_of(node));
      } else if (name == "app") {
        app_ = std::move(*table);
      } else {
        read_section(name, *table);
      }
    } else {
      const bool section_like = table != nullptr || node.is_array_of_tables();
      mistakes_.add(place_of(key.source()), section_like ? unknown_section(name) : unknown_key("", name));
    }
  }
}

void Loader::read_section(const std::string& section, const toml::table& table) {
  for (auto&& [key, node] : table) {
    if (section == "shared" && node.is_table()) {
      read_dictionary(std::string(key.str()), place_of(key.source()), *node.as_table());
    } else if (const OptionSpec* spec = find_option(section, key.str())) {
      read_option(*spec, node);
    } else {
      mistakes_.add(place_of(key.source()), unknown_key(section, key.str()));
    }
  }
}

// A [shared.NAME]. Its values are read as if they were options of the server, and kept under its name.
void Loader::read_dictionary(const std::string& name, const ConfigPlace& place, const toml::table& table) {
  constexpr std::size_t kLongestName = 100;
  const auto is_control = [](char letter) { return letter >= 0 && letter < ' '; };
  if (name.empty() || name.size() > kLongestName || std::any_of(name.begin(), name.end(), is_control)) {
    mistakes_.add(place, "the name of a shared dictionary has 1 to 100 bytes, and no control characters");
    return;
  }
  DictionaryOptions& dictionary = options_.shared[name];
  const std::string section = "shared." + name;
  for (auto&& [key, node] : table) {
    const OptionSpec* found = find_dictionary_option(key.str());
    if (found == nullptr) {
      mistakes_.add(place_of(key.source()), unknown_dictionary_key(name, key.str()));
      continue;
    }
    OptionSpec spec = *found;
    spec.section = section;
    Options read;
    read.shared_size = dictionary.size;
    read.pin = dictionary.pin;
    read_option(spec, node, read);
    dictionary = {read.shared_size, read.pin};
  }
}

void Loader::read_dictionary_override(const std::string& key, const toml::table& document) {
  const std::size_t dot = key.rfind('.');
  toml::table table;
  document.begin()->second.visit([&](const auto& value) { table.insert(key.substr(dot + 1), value); });
  read_dictionary(key.substr(0, dot), {}, table);
}

void Loader::read_option(const OptionSpec& spec, const toml::node& node) {
  read_option(spec, node, options_);
}

void Loader::read_option(const OptionSpec& spec, const toml::node& node, Options& into) {
  Origin origin{place_of(node.source()), {}, false};
  if (const std::optional<ConfigValue> value = value_of(spec, node, origin)) {
    if (const Result<> stored = set_option(spec, *value, into); !stored) {
      mistakes_.add(origin.place, stored.error().message);
      origin.failed = true;
    }
  } else {
    origin.failed = true;
  }
  mistakes_.set_origin(option_name(spec), std::move(origin));
}

// The value in the terms of options, or nothing once a mistake is noted.
std::optional<ConfigValue> Loader::value_of(const OptionSpec& spec, const toml::node& node, Origin& origin) {
  if (node.is_string()) {
    return expanded(node);
  }
  if (const auto number = node.value_exact<std::int64_t>()) {
    return *number;
  }
  if (const auto number = node.value_exact<double>()) {
    return *number;
  }
  if (const auto boolean = node.value_exact<bool>()) {
    return *boolean;
  }
  if (const toml::array* array = node.as_array(); array != nullptr && spec.type == OptionType::kStringList) {
    return list_of(spec, *array, origin);
  }
  mistakes_.add(origin.place, option_name(spec) + " takes " + option_domain_text(spec) + ", not " + kind_of(node));
  return std::nullopt;
}

std::optional<ConfigValue> Loader::list_of(const OptionSpec& spec, const toml::array& array, Origin& origin) {
  std::vector<std::string> items;
  for (const toml::node& node : array) {
    origin.items.push_back(place_of(node.source()));
    if (!node.is_string()) {
      mistakes_.add(origin.items.back(),
                    option_name(spec) + " is a list of strings, which cannot hold " + kind_of(node));
    } else if (std::optional<std::string> text = expanded(node)) {
      items.push_back(std::move(*text));
    }
  }
  return items.size() == array.size() ? std::optional<ConfigValue>(std::move(items)) : std::nullopt;
}

std::optional<std::string> Loader::expanded(const toml::node& node) {
  Result<std::string> text = expand(node.as_string()->get());
  if (!text) {
    mistakes_.add(place_of(node.source()), text.error().message);
    return std::nullopt;
  }
  return std::move(*text);
}

// What stands behind the "=" of an override, parsed: TOML with one value, or a string. No value of TOML begins with a
// letter outside ASCII, which toml++ 3.3 would look up beyond the cases it knows.
toml::table override_document(const std::string& text, bool as_string) {
  const bool foreign = !text.empty() && static_cast<unsigned char>(text.front()) >= 0x80;
  if (!as_string && !foreign) {
    toml::parse_result parsed = toml::parse("value = " + text, std::string_view(ConfigPlace::kCommandLine));
    if (parsed && parsed.table().size() == 1) {
      return std::move(parsed.table());
    }
  }
  return toml::table{{"value", text}};
}

void Loader::read_override(const std::string& text) {
  const std::size_t equals = text.find('=');
  const std::string name = text.substr(0, equals);
  const std::size_t dot = name.find('.');
  if (equals == std::string::npos || dot == std::string::npos) {
    mistakes_.add({}, "an override is written section.key=value" + (equals < text.size() ? ", not " + name + "=" : ""));
    return;
  }
  const std::string section = name.substr(0, dot);
  const std::string key = name.substr(dot + 1);
  toml::table document = override_document(text.substr(equals + 1), false);
  const OptionSpec* spec = find_option(section, key);
  if (section == "app") {
    read_app_override(key, document.begin()->second);
  } else if (section == "shared" && key.find('.') != std::string::npos) {
    read_dictionary_override(key, document);
  } else if (spec == nullptr) {
    mistakes_.add({}, is_section(section) ? unknown_option(section, key) : unknown_section(section));
  } else {
    const bool takes_string = std::holds_alternative<std::string Options::*>(spec->member);
    if (takes_string && !document.begin()->second.is_string()) {
      document = override_document(text.substr(equals + 1), true);
    }
    const bool one_item = spec->type == OptionType::kStringList && document.begin()->second.is_string();
    if (one_item) {
      document.insert_or_assign("value", toml::array{*document.begin()->second.as_string()});
    }
    read_option(*spec, document.begin()->second);
  }
}

void Loader::read_app_override(std::string_view key, toml::node& value) {
  if (key.empty() || key.front() == '.' || key.back() == '.' || key.find("..") != std::string_view::npos) {
    mistakes_.add({}, "an override of [app] is written app.key=value or app.table.key=value");
    return;
  }
  toml::table* table = &app_;
  for (std::size_t dot = key.find('.'); dot != std::string_view::npos; dot = key.find('.')) {
    toml::node& inner = table->insert(key.substr(0, dot), toml::table{}).first->second;
    if (!inner.is_table()) {
      mistakes_.add({}, "app." + std::string(key) + " lies within " + kind_of(inner) + ", not a table");
      return;
    }
    table = inner.as_table();
    key.remove_prefix(dot + 1);
  }
  value.visit([&](auto& concrete) { table->insert_or_assign(key, std::move(concrete)); });
}

void Loader::check_together(Checks checks) {
  if (unread_) {
    return;  // what seems missing may stand there
  }
  mistakes_.add(check_options(options_));
  if (checks == Checks::kPlaces) {
    mistakes_.add(check_places(options_));
  }
}

void Loader::append_json(std::string& out, const toml::table& table) {
  out += '{';
  for (auto&& [key, node] : table) {
    if (out.back() != '{') {
      out += ',';
    }
    append_json_string(out, key.str());
    out += ':';
    append_json(out, node);
  }
  out += '}';
}

void Loader::append_json(std::string& out, const toml::array& array) {
  out += '[';
  for (const toml::node& node : array) {
    if (out.back() != '[') {
      out += ',';
    }
    append_json(out, node);
  }
  out += ']';
}

void Loader::append_json_float(std::string& out, const toml::node& node, double number) {
  if (!std::isfinite(number)) {
    mistakes_.add(place_of(node.source()), "[app] holds a number that is not finite, which JSON cannot say");
    number = 0;
  }
  char text[32];
  out.append(text, std::to_chars(std::begin(text), std::end(text), number).ptr);
}

void Loader::append_json(std::string& out, const toml::node& node) {
  node.visit([&](const auto& value) {
    using Node = std::remove_cvref_t<decltype(value)>;
    if constexpr (toml::is_table<Node> || toml::is_array<Node>) {
      append_json(out, value);
    } else if constexpr (toml::is_string<Node>) {
      append_json_string(out, expanded(value).value_or(""));
    } else if constexpr (toml::is_boolean<Node>) {
      out += value.get() ? "true" : "false";
    } else if constexpr (toml::is_integer<Node>) {
      out += std::to_string(value.get());
    } else if constexpr (toml::is_floating_point<Node>) {
      append_json_float(out, value, value.get());
    } else {
      std::ostringstream moment;
      moment << value.get();
      append_json_string(out, moment.str());
    }
  });
}

tl::expected<Options, std::vector<ConfigMistake>> Loader::finish(Checks checks) {
  options_.app_config.clear();
  append_json(options_.app_config, app_);
  for (auto& [name, dictionary] : options_.shared) {
    dictionary.size = dictionary.size == 0 ? options_.shared_size : dictionary.size;
  }
  check_together(checks);
  if (auto mistakes = mistakes_.take(); !mistakes.empty()) {
    return tl::unexpected(std::move(mistakes));
  }
  return std::move(options_);
}

}  // namespace

tl::expected<Options, std::vector<ConfigMistake>> load_options(const std::string& path,
                                                               const std::vector<std::string>& overrides,
                                                               Checks checks) {
  Loader loader;
  if (!path.empty()) {
    loader.read_config(path);
  }
  for (const std::string& text : overrides) {
    loader.read_override(text);
  }
  return loader.finish(checks);
}

}  // namespace perigee::server
