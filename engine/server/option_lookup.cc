#include "server/option_lookup.h"

#include <algorithm>
#include <vector>

#include "base/nearest.h"

namespace perigee::server {
namespace {

std::vector<std::string_view> section_names() {
  std::vector<std::string_view> names;
  for (const OptionSpec& spec : option_table()) {
    if (names.empty() || names.back() != spec.section) {
      names.push_back(spec.section);
    }
  }
  names.emplace_back("app");
  return names;
}

// The option a wrong key meant: the same key elsewhere, or the nearest key of its section; outside of every section the
// nearest of all.
const OptionSpec* meant_option(std::string_view section, std::string_view key) {
  if (const OptionSpec* elsewhere = find_option("", key)) {
    return elsewhere;
  }
  std::vector<std::string_view> keys;
  for (const OptionSpec& spec : option_table()) {
    if (section.empty() || spec.section == section) {
      keys.push_back(spec.key);
    }
  }
  const std::string_view near = nearest(key, keys);
  return near.empty() ? nullptr : find_option(section, near);
}

}  // namespace

const OptionSpec* find_option(std::string_view section, std::string_view key) {
  const auto table = option_table();
  const auto found = std::find_if(table.begin(), table.end(), [&](const OptionSpec& spec) {
    return spec.key == key && (section.empty() || spec.section == section);
  });
  return found != table.end() ? &*found : nullptr;
}

bool is_section(std::string_view name) {
  const std::vector<std::string_view> names = section_names();
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string unknown_key(std::string_view section, std::string_view key) {
  std::string message = "unknown key '" + std::string(key) + "'";
  message += section.empty() ? " outside of every section" : " in [" + std::string(section) + "]";
  if (const OptionSpec* meant = meant_option(section, key)) {
    message += "; did you mean '" + std::string(meant->key) + "'";
    message += meant->section == section ? "?" : " in [" + std::string(meant->section) + "]?";
  }
  return message;
}

std::string unknown_option(std::string_view section, std::string_view key) {
  std::string message = "unknown option '" + std::string(section) + "." + std::string(key) + "'";
  if (const OptionSpec* meant = meant_option(section, key)) {
    message += "; did you mean '" + std::string(meant->section) + "." + std::string(meant->key) + "'?";
  }
  return message;
}

const OptionSpec* find_dictionary_option(std::string_view key) {
  const auto table = dictionary_option_table();
  const auto found = std::find_if(table.begin(), table.end(), [&](const OptionSpec& spec) { return spec.key == key; });
  return found != table.end() ? &*found : nullptr;
}

std::string unknown_dictionary_key(std::string_view name, std::string_view key) {
  std::vector<std::string_view> keys;
  for (const OptionSpec& spec : dictionary_option_table()) {
    keys.push_back(spec.key);
  }
  const std::string_view near = nearest(key, keys);
  return "unknown key '" + std::string(key) + "' in [shared." + std::string(name) + "]" +
         (near.empty() ? "" : "; did you mean '" + std::string(near) + "'?");
}

std::string unknown_section(std::string_view name) {
  const std::string_view near = nearest(name, section_names());
  return "unknown section [" + std::string(name) + "]" +
         (near.empty() ? "" : "; did you mean [" + std::string(near) + "]?");
}

}  // namespace perigee::server
