#include "server/config_value.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <type_traits>

#include "base/escape.h"
#include "base/nearest.h"

namespace perigee::server {
namespace {

struct SizeUnit {
  std::string_view name;
  std::int64_t bytes;
};

constexpr std::array kSizeUnits = {
    SizeUnit{"B", 1},
    SizeUnit{"kB", 1'000},
    SizeUnit{"MB", 1'000'000},
    SizeUnit{"GB", 1'000'000'000},
    SizeUnit{"TB", 1'000'000'000'000},
    SizeUnit{"KiB", std::int64_t{1} << 10},
    SizeUnit{"MiB", std::int64_t{1} << 20},
    SizeUnit{"GiB", std::int64_t{1} << 30},
    SizeUnit{"TiB", std::int64_t{1} << 40},
};

constexpr const char* kNoControls = " cannot hold control characters";

std::string number_text(double number) {
  char text[32];
  const bool moderate = number == 0 || (std::abs(number) >= 1e-6 && std::abs(number) < 1e15);
  const auto form = moderate ? std::chars_format::fixed : std::chars_format::general;
  return {text, std::to_chars(std::begin(text), std::end(text), number, form).ptr};
}

std::string size_text(std::int64_t bytes) {
  for (auto unit = kSizeUnits.rbegin(); unit->bytes > 1 && unit->name.size() == 3; ++unit) {
    if (bytes != 0 && bytes % unit->bytes == 0) {
      return std::to_string(bytes / unit->bytes) + std::string(unit->name);
    }
  }
  return std::to_string(bytes);
}

std::vector<std::string_view> words_of(std::string_view choices) {
  std::vector<std::string_view> words;
  while (!choices.empty()) {
    const std::size_t space = std::min(choices.find(' '), choices.size());
    words.push_back(choices.substr(0, space));
    choices.remove_prefix(std::min(space + 1, choices.size()));
  }
  return words;
}

std::string range_text(const OptionSpec& spec) {
  if (spec.type == OptionType::kSize) {
    return " from " + size_text(static_cast<std::int64_t>(spec.minimum)) + " to " +
           size_text(static_cast<std::int64_t>(spec.maximum));
  }
  return " from " + number_text(spec.minimum) + " to " + number_text(spec.maximum);
}

std::string kind_of(const ConfigValue& value) {
  static constexpr std::array kKinds = {"a boolean", "an integer", "a float", "a string", "a list"};
  return kKinds[value.index()];
}

tl::unexpected<Error> refuse(const OptionSpec& spec, const std::string& instead) {
  return fail(option_name(spec) + " takes " + option_domain_text(spec) + ", not " + instead);
}

bool within(const OptionSpec& spec, double number) {
  return number >= spec.minimum && number <= spec.maximum;
}

// NaN is within no range.
Result<> store_number(const OptionSpec& spec, double number, Options& options) {
  if (!within(spec, number)) {
    return refuse(spec, number_text(number));
  }
  options.*std::get<double Options::*>(spec.member) = number;
  return {};
}

Result<> store_integer(const OptionSpec& spec, std::int64_t number, Options& options) {
  if (!within(spec, static_cast<double>(number))) {
    return refuse(spec, std::to_string(number));
  }
  options.*std::get<std::int64_t Options::*>(spec.member) = number;
  return {};
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; });
}

Result<> store_string(const OptionSpec& spec, const std::string& text, Options& options) {
  if (has_control(text)) {
    return fail(option_name(spec) + kNoControls);
  }
  if (!within(spec, static_cast<double>(text.size()))) {
    return refuse(spec, text.empty() ? "an empty one" : "one of " + std::to_string(text.size()));
  }
  options.*std::get<std::string Options::*>(spec.member) = text;
  return {};
}

Result<> store_choice(const OptionSpec& spec, const std::string& text, Options& options) {
  const std::vector<std::string_view> choices = words_of(spec.choices);
  if (std::find(choices.begin(), choices.end(), text) == choices.end()) {
    const std::string_view near = nearest(text, choices);
    return fail(option_name(spec) + " takes " + option_domain_text(spec) +
                (near.empty() ? "" : "; did you mean \"" + std::string(near) + "\"?"));
  }
  options.*std::get<std::string Options::*>(spec.member) = text;
  return {};
}

Result<> store_size(const OptionSpec& spec, const ConfigValue& value, Options& options) {
  if (const auto* text = std::get_if<std::string>(&value)) {
    const Result<std::int64_t> size = parse_size(*text);
    return size ? store_integer(spec, *size, options) : fail(option_name(spec) + ": " + size.error().message);
  }
  const auto* number = std::get_if<std::int64_t>(&value);
  return number != nullptr ? store_integer(spec, *number, options) : refuse(spec, kind_of(value));
}

Result<> store_list(const OptionSpec& spec, const std::vector<std::string>& items, Options& options) {
  if (!within(spec, static_cast<double>(items.size()))) {
    return refuse(spec, std::to_string(items.size()));
  }
  if (std::any_of(items.begin(), items.end(), has_control)) {
    return fail(option_name(spec) + kNoControls);
  }
  options.*std::get<std::vector<std::string> Options::*>(spec.member) = items;
  return {};
}

}  // namespace

std::string option_name(const OptionSpec& spec) {
  return std::string(spec.section) + "." + std::string(spec.key);
}

Result<> set_option(const OptionSpec& spec, const ConfigValue& value, Options& options) {
  const auto* integer = std::get_if<std::int64_t>(&value);
  const auto* number = std::get_if<double>(&value);
  const auto* boolean = std::get_if<bool>(&value);
  const auto* text = std::get_if<std::string>(&value);
  const auto* items = std::get_if<std::vector<std::string>>(&value);
  switch (spec.type) {
    case OptionType::kSize:
      return store_size(spec, value, options);
    case OptionType::kInteger:
      return integer != nullptr ? store_integer(spec, *integer, options) : refuse(spec, kind_of(value));
    case OptionType::kSeconds:
      if (integer != nullptr) {
        return store_number(spec, static_cast<double>(*integer), options);
      }
      return number != nullptr ? store_number(spec, *number, options) : refuse(spec, kind_of(value));
    case OptionType::kBoolean:
      if (boolean == nullptr) {
        return refuse(spec, kind_of(value));
      }
      options.*std::get<bool Options::*>(spec.member) = *boolean;
      return {};
    case OptionType::kString:
    case OptionType::kSecret:
      return text != nullptr ? store_string(spec, *text, options) : refuse(spec, kind_of(value));
    case OptionType::kChoice:
      return text != nullptr ? store_choice(spec, *text, options) : refuse(spec, kind_of(value));
    case OptionType::kStringList:
      return items != nullptr ? store_list(spec, *items, options) : refuse(spec, kind_of(value));
  }
  return {};
}

std::string option_domain_text(const OptionSpec& spec) {
  switch (spec.type) {
    case OptionType::kInteger:
      return "an integer" + range_text(spec);
    case OptionType::kSize:
      return "a size" + range_text(spec);
    case OptionType::kSeconds:
      return "seconds" + range_text(spec);
    case OptionType::kBoolean:
      return "true or false";
    case OptionType::kString:
    case OptionType::kSecret:
      return "a string of" + range_text(spec).substr(5) + " bytes";
    case OptionType::kStringList:
      return "a list of" + range_text(spec).substr(5) + " strings";
    case OptionType::kChoice:
      break;
  }
  std::string text;
  const std::vector<std::string_view> choices = words_of(spec.choices);
  for (std::size_t i = 0; i < choices.size(); ++i) {
    text += i == 0 ? "" : i + 1 == choices.size() ? " or " : ", ";
    text += toml_string(choices[i]);
  }
  return text;
}

std::string toml_string(std::string_view text) {
  std::string out;
  append_json_string(out, text);  // TOML knows every escape that JSON strings are written with
  return out;
}

std::string option_value_text(const OptionSpec& spec, const Options& options) {
  const auto render = [&](const auto& value) -> std::string {
    using Value = std::remove_cvref_t<decltype(value)>;
    if constexpr (std::is_same_v<Value, bool>) {
      return value ? "true" : "false";
    } else if constexpr (std::is_same_v<Value, double>) {
      return number_text(value);
    } else if constexpr (std::is_same_v<Value, std::int64_t>) {
      const std::string text = spec.type == OptionType::kSize ? size_text(value) : std::to_string(value);
      return text.back() == 'B' ? toml_string(text) : text;
    } else if constexpr (std::is_same_v<Value, std::string>) {
      return toml_string(spec.type == OptionType::kSecret && !value.empty() ? "(secret)" : value);
    } else {
      std::string list = "[";
      for (const std::string& item : value) {
        list += (list.size() == 1 ? "" : ", ") + toml_string(item);
      }
      return list + "]";
    }
  };
  return std::visit([&](auto member) { return render(options.*member); }, spec.member);
}

Result<std::int64_t> parse_size(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  const auto known = std::find_if(kSizeUnits.begin(), kSizeUnits.end(),
                                  [unit](const SizeUnit& candidate) { return candidate.name == unit; });
  if (error == std::errc::invalid_argument || number < 0 || (!unit.empty() && known == kSizeUnits.end())) {
    return fail("a size is a whole number of bytes, or one with B, kB, MB, GB, TB, KiB, MiB, GiB or TiB: \"64KiB\"");
  }
  const std::int64_t factor = unit.empty() ? 1 : known->bytes;
  if (error != std::errc() || number > INT64_MAX / factor) {
    return fail("a size is less than 2^63 bytes");
  }
  return number * factor;
}

}  // namespace perigee::server
