#include "server/config_mistakes.h"

#include <catch2/catch.hpp>

using namespace perigee::server;

namespace {

std::string texts(ConfigMistakes& mistakes) {
  std::string all;
  for (const ConfigMistake& mistake : mistakes.take()) {
    all += mistake.text() + "\n";
  }
  return all;
}

}  // namespace

TEST_CASE("config mistakes: one is a line that says where it stands") {
  CHECK(ConfigMistake{{"a.toml", 12, 3}, "no"}.text() == "a.toml:12:3: no");
  CHECK(ConfigMistake{{"a.toml", 0, 0}, "no"}.text() == "a.toml: no");
  CHECK(ConfigMistake{{}, "one\ntwo\x1b"}.text() == "command line: one two ");
}

TEST_CASE("config mistakes: they come in the order of the file, then those of overrides as they were made") {
  ConfigMistakes mistakes;
  mistakes.add({}, "first override");
  mistakes.add({"a", 3, 1}, "last");
  mistakes.add({}, "second override");
  mistakes.add({"a", 2, 9}, "second");
  mistakes.add({"a", 2, 1}, "first");
  CHECK(texts(mistakes) ==
        "a:2:1: first\na:2:9: second\na:3:1: last\ncommand line: first override\ncommand line: second override\n");
  CHECK(mistakes.take().empty());
}

TEST_CASE("config mistakes: a fault stands where its option was set, or its item") {
  ConfigMistakes mistakes;
  mistakes.set_origin("server.listen", {{"a", 1, 1}, {{"a", 1, 10}, {"a", 1, 20}}});
  mistakes.add({{"server.listen", 1, "of the second"}, {"server.listen", 2, "of the whole"}});
  mistakes.add({{"server.workers", 0, "of one that was not set"}});
  CHECK(texts(mistakes) == "a:1:1: of the whole\na:1:20: of the second\ncommand line: of one that was not set\n");
}

TEST_CASE("config mistakes: an option whose value is none has no other fault, nor has what contradicts it") {
  ConfigMistakes mistakes;
  mistakes.set_origin("a.bad", {{"a", 1, 1}, {}, true});
  mistakes.set_origin("a.good", {{"a", 2, 1}, {}, false});
  mistakes.add({{"a.bad", 0, "one"}, {"a.good", 0, "two", "a.bad"}, {"a.good", 0, "three", "a.other"}});
  CHECK(texts(mistakes) == "a:2:1: three\n");
}
