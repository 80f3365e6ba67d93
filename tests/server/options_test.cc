#include "server/options.h"

#include <catch2/catch.hpp>
#include <map>
#include <set>
#include <sstream>
#include <vector>

#include "scratch.h"
#include "server/config_loader.h"
#include "server/config_value.h"

using namespace perigee::server;

namespace {

const std::string kManual = std::string(PERIGEE_SOURCE_DIR) + "/conf/server.toml";

// What the file says of one option: the comment above it as one line, and the value.
struct Entry {
  std::string comment;
  std::string value;
};

std::vector<std::pair<std::string, Entry>> read_manual() {
  std::vector<std::pair<std::string, Entry>> entries;
  std::istringstream lines(Scratch::read(kManual));
  std::string line;
  std::string section;
  std::string comment;
  while (std::getline(lines, line)) {
    if (line.starts_with("# ")) {
      comment += (comment.empty() ? "" : " ") + line.substr(2);
    } else if (line.starts_with('[')) {
      section = line.substr(1, line.size() - 2);
    } else if (const std::size_t equals = line.find(" = "); equals != std::string::npos) {
      entries.push_back({section + "." + line.substr(0, equals), {comment, line.substr(equals + 3)}});
    }
    if (!line.starts_with('#')) {
      comment.clear();
    }
  }
  return entries;
}

}  // namespace

TEST_CASE("options: conf/server.toml says of each option what the table says, in its order, and of nothing else") {
  const auto entries = read_manual();
  REQUIRE(entries.size() == option_table().size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const OptionSpec& spec = option_table()[i];
    const std::string marks = option_domain_text(spec) + (spec.reloadable ? "" : "; fixed at start");
    CHECK(entries[i].first == option_name(spec));
    CHECK(entries[i].second.comment == std::string(spec.sentence) + " (" + marks + ")");
    CHECK(entries[i].second.value == option_value_text(spec, Options{}));
  }
}

TEST_CASE("options: conf/server.toml loads, and gives the defaults") {
  const auto loaded = load_options(kManual, {});
  REQUIRE(loaded);
  const Options defaults;
  for (const OptionSpec& spec : option_table()) {
    const auto same = [&](auto member) { return (*loaded).*member == defaults.*member; };
    CHECK(std::visit(same, spec.member));
  }
  CHECK(loaded->app_config == "{}");
}

TEST_CASE(
    "options: the table holds each name and each member once, a sentence each, and no default outside its range") {
  std::set<std::string> names;
  std::set<std::pair<std::size_t, const void*>> members;
  const Options defaults;
  for (const OptionSpec& spec : option_table()) {
    CAPTURE(option_name(spec));
    CHECK(names.insert(option_name(spec)).second);
    const auto place = [&](auto member) { return static_cast<const void*>(&(defaults.*member)); };
    CHECK(members.insert({spec.member.index(), std::visit(place, spec.member)}).second);
    CHECK(spec.sentence.ends_with('.'));
    CHECK((spec.type == OptionType::kChoice) == !spec.choices.empty());
    CHECK(load_options("", {option_name(spec) + "=" + option_value_text(spec, defaults)}));
  }
}

TEST_CASE("options: what a reload cannot change is named, and kept") {
  Options running;
  Options next;
  next.listen = {"127.0.0.1:9999"};
  next.app = "other.lua";
  next.workers = 7;
  next.accept = "balanced";
  next.pin = true;
  next.backlog = 5;
  next.user = "www-data";
  next.group = "www-data";
  next.admin_listen = "off";
  next.body = 17;
  next.log_level = "debug";
  CHECK(changed_fixed_options(running, next) ==
        std::vector<std::string>{"server.listen", "server.app", "server.workers", "server.accept", "server.pin",
                                 "server.backlog", "server.user", "server.group", "admin.listen"});
  keep_fixed_options(running, next);
  CHECK(changed_fixed_options(running, next).empty());
  CHECK(next.listen == running.listen);
  CHECK(next.admin_listen == running.admin_listen);
  CHECK(next.body == 17);
  CHECK(next.log_level == "debug");
}
