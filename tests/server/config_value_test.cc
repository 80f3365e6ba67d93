#include "server/config_value.h"

#include <catch2/catch.hpp>
#include <cmath>

using namespace perigee::server;
using perigee::Result;

namespace {

bool is_number(const OptionSpec& spec) {
  return spec.type == OptionType::kInteger || spec.type == OptionType::kSize || spec.type == OptionType::kSeconds;
}

// A value of the option's type whose number, bytes or items are `amount`.
ConfigValue value_of(const OptionSpec& spec, double amount) {
  if (spec.type == OptionType::kSeconds) {
    return amount;
  }
  if (is_number(spec)) {
    return static_cast<std::int64_t>(amount);
  }
  const auto count = static_cast<std::size_t>(amount);
  if (spec.type == OptionType::kStringList) {
    return std::vector<std::string>(count, "/x");
  }
  return std::string(count, 'x');
}

const OptionSpec& option(std::string_view name) {
  for (const OptionSpec& spec : option_table()) {
    if (option_name(spec) == name) {
      return spec;
    }
  }
  throw std::runtime_error("no such option");
}

std::string mistake(std::string_view name, const ConfigValue& value) {
  Options options;
  const Result<> stored = set_option(option(name), value, options);
  return stored ? "" : stored.error().message;
}

}  // namespace

TEST_CASE("config value: both ends of every range are taken, and one beyond either is not") {
  for (const OptionSpec& spec : option_table()) {
    if (spec.type == OptionType::kBoolean || spec.type == OptionType::kChoice) {
      continue;
    }
    CAPTURE(option_name(spec));
    const double step = spec.type == OptionType::kSeconds ? 0.001 : 1;
    Options options;
    CHECK(set_option(spec, value_of(spec, spec.minimum), options));
    CHECK(set_option(spec, value_of(spec, spec.maximum), options));
    CHECK_FALSE(set_option(spec, value_of(spec, spec.maximum + step), options));
    if (spec.minimum > 0 || is_number(spec)) {
      CHECK_FALSE(set_option(spec, value_of(spec, spec.minimum - step), options));
    }
  }
}

TEST_CASE("config value: each type of option takes its own types of value and no other") {
  const std::vector<ConfigValue> kinds = {true, std::int64_t{300}, 300.0, std::string("300"),
                                          std::vector<std::string>{"a"}};
  struct Case {
    const char* option;
    std::vector<bool> taken;  // boolean, integer, float, string, list
  };
  const Case c = GENERATE(values<Case>({
      {"server.backlog", {false, true, false, false, false}},
      {"http.head", {false, true, false, true, false}},
      {"limits.time", {false, true, true, false, false}},
      {"server.pin", {true, false, false, false, false}},
      {"server.app", {false, false, false, true, false}},
      {"admin.token", {false, false, false, true, false}},
      {"log.level", {false, false, false, false, false}},
      {"server.listen", {false, false, false, false, true}},
  }));
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    CAPTURE(c.option, i);
    CHECK(mistake(c.option, kinds[i]).empty() == c.taken[i]);
  }
}

TEST_CASE("config value: a message says what the option takes and shows no string") {
  const auto [name, value, expected] = GENERATE(table<std::string, ConfigValue, std::string>({
      {"server.workers", std::int64_t{257}, "server.workers takes an integer from 0 to 256, not 257"},
      {"server.workers", std::string("3"), "server.workers takes an integer from 0 to 256, not a string"},
      {"server.workers", 3.0, "server.workers takes an integer from 0 to 256, not a float"},
      {"http.head", std::int64_t{255}, "http.head takes a size from 256 to 1MiB, not 255"},
      {"http.head", std::string("2MiB"), "http.head takes a size from 256 to 1MiB, not 2097152"},
      {"http.head", true, "http.head takes a size from 256 to 1MiB, not a boolean"},
      {"limits.time", 0.001, "limits.time takes seconds from 0.01 to 86400, not 0.001"},
      {"limits.time", std::nan(""), "limits.time takes seconds from 0.01 to 86400, not nan"},
      {"limits.time", HUGE_VAL, "limits.time takes seconds from 0.01 to 86400, not inf"},
      {"server.pin", std::int64_t{1}, "server.pin takes true or false, not an integer"},
      {"server.app", std::string(), "server.app takes a string of 1 to 4096 bytes, not an empty one"},
      {"server.app", std::string(5000, 'x'), "server.app takes a string of 1 to 4096 bytes, not one of 5000"},
      {"server.app", std::string("a\nb"), "server.app cannot hold control characters"},
      {"server.listen", std::vector<std::string>{}, "server.listen takes a list of 1 to 64 strings, not 0"},
      {"server.listen", std::vector<std::string>{"a\x01"}, "server.listen cannot hold control characters"},
      {"admin.token", std::string(4097, 'x'), "admin.token takes a string of 0 to 4096 bytes, not one of 4097"},
      {"log.level", std::string("wran"),
       "log.level takes \"debug\", \"info\", \"warn\" or \"error\"; did you mean \"warn\"?"},
      {"log.level", std::string("verbose"), "log.level takes \"debug\", \"info\", \"warn\" or \"error\""},
  }));
  CHECK(mistake(name, value) == expected);
}

TEST_CASE("config value: a size is a whole number of bytes, or one with a unit") {
  const auto [text, expected] = GENERATE(table<std::string, std::int64_t>({
      {"0", 0},
      {"17", 17},
      {"17B", 17},
      {"3kB", 3'000},
      {"3KiB", 3'072},
      {"50MB", 50'000'000},
      {"1MiB", 1'048'576},
      {"2GB", 2'000'000'000},
      {"2GiB", 2'147'483'648},
      {"1TB", 1'000'000'000'000},
      {"1TiB", 1'099'511'627'776},
      {"9223372036854775807", INT64_MAX},
      {"9223372036854775808", -1},
      {"9000000TiB", -1},
      {"", -1},
      {"-1", -1},
      {"+1", -1},
      {" 1", -1},
      {"1 MB", -1},
      {"1.5MB", -1},
      {"1mb", -1},
      {"1m", -1},
      {"MB", -1},
      {"1MBx", -1},
  }));
  CAPTURE(text);
  CHECK(parse_size(text).value_or(-1) == expected);
}

TEST_CASE("config value: a value is written as TOML, and a secret is not") {
  Options options;
  options.listen = {"a", "b\"c"};
  options.head = 1000;
  options.body = std::int64_t{3} << 30;
  options.body_rate = 0;
  options.time = 0.25;
  options.drain = 100'000;
  options.pin = true;
  options.admin_token = "hush";
  const auto [name, expected] = GENERATE(table<std::string, std::string>({
      {"server.listen", R"(["a", "b\"c"])"},
      {"server.user", R"("")"},
      {"server.pin", "true"},
      {"server.workers", "0"},
      {"server.drain", "100000"},
      {"http.head", "1000"},
      {"http.body_rate", "0"},
      {"limits.body", R"("3GiB")"},
      {"limits.time", "0.25"},
      {"admin.token", "\"(secret)\""},
  }));
  CHECK(option_value_text(option(name), options) == expected);
}
