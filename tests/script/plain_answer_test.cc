#include "script/plain_answer.h"

#include <set>
#include <sstream>
#include <string>

#include "vm_fixture.h"

using perigee::LogLevel;

namespace {

// Header lines in alphabetical order: a table's come in any.
std::string sorted(const std::string& fields) {
  std::multiset<std::string> lines;
  std::istringstream in(fields);
  for (std::string line; std::getline(in, line);) {
    lines.insert(line);
  }
  std::string out;
  for (const std::string& line : lines) {
    out += line + "\n";
  }
  return out;
}

// All that a handler's answer shows, or the error that was logged.
std::string answer_of(const std::string& code, const std::string& before) {
  const EventLog log;
  LoadedVm loaded(before + " local array, null = perigee.array, perigee.null app:get('/', function() " + code +
                  " end)");
  Request request(loaded, get("/"));
  REQUIRE(request.outcome == Request::Outcome::kAnswered);
  CHECK(loaded.vm->busy_tasks() == 1);
  std::string shown = std::to_string(request.status()) + " " + request.type() + " " + sorted(request.fields());
  shown += request.status() == 500 ? "" : request.body();  // a problem's names come in any order
  for (const auto& event : log.events) {
    shown += "; " + event.message.substr(event.message.find("returned"));
  }
  return shown;
}

}  // namespace

TEST_CASE("plain answer: with or without hooks that are shown the answer, it is the same") {
  const std::string code = GENERATE(values<std::string>({
      "return 'text'",
      "return ''",
      "return 201, 'text'",
      "return 200, 'text', { ['X-A'] = 'b' }",
      "return 200, 'text', { ['Content-Type'] = 'text/csv' }",
      "return {}",
      "return array()",
      "return { message = 'Hello, World!' }",
      "return { 1, 2, 3 }",
      "return { { a = { b = { 'deep' } } } }",
      "return { { { { 'as deep as it goes' } } } }",
      "return { { { { { 'deeper' } } } } }",
      "return { { { { array() } } } }",
      "return { true, null, 1.5, 'x' }",
      "return 201, { made = true }",
      "return 201, { made = true }, { Location = '/1', ['X-N'] = 5 }",
      "return 200, { a = 'b' }, { ['Content-Type'] = 'application/vnd.a+json' }",
      "return 200, { a = 'b' }, { ['X-A'] = 'b', ['X-B'] = 'c\\n' }",
      "return 200, { a = 'b' }, { 'no name' }",
      "return { ['\\\"\\n'] = '\\1\\\\' }",
      "return { a = '\\255' }",
      "return { ['\\255'] = 'a' }",
      "return { f = print }",
      "return { 1, nil, 3 }",
      "return { 1, x = 2 }",
      "local t = {} t.t = t return t",
      "return { 0 / 0 }",
      "return { math.huge }",
      "return perigee.json({ a = 1 })",
      "return perigee.text('text')",
      "return 202, perigee.json({ 1 })",
      "return 99, { a = 1 }",
      "return 200.5, { a = 1 }",
      "return { a = 1 }, { b = 1 }",
      "return setmetatable({ 'raw' }, { __index = function() error('never') end })",
  }));
  INFO(code);
  const std::string plain = answer_of(code, "");
  CHECK(plain == answer_of(code, "app:after(function() end)"));
}

TEST_CASE("plain answer: tables up to the depth that the app allows") {
  perigee::script::VmSettings settings;
  settings.json_depth = 2;
  const EventLog log;
  LoadedVm loaded("app:get('/2', function() return { { 1 } } end) app:get('/3', function() return { { { 1 } } } end)",
                  settings);
  CHECK(answer_to(loaded, get("/2")) == "200 [[1]]");
  CHECK(answer_to(loaded, get("/3")).starts_with("500 "));
  REQUIRE(log.events.size() == 1);
  CHECK(log.events[0].message.find("a table nested too deep at $[1][1]") != std::string::npos);
}

TEST_CASE("plain answer: what was written for one that failed is not in the next") {
  const EventLog log;
  LoadedVm loaded(
      "app:get('/bad', function() return { 'good', print } end) app:get('/good', function() return { 'good' } end)");
  for (int i = 0; i < 3; ++i) {
    CHECK(answer_to(loaded, get("/bad")).starts_with("500 "));
    CHECK(answer_to(loaded, get("/good")) == "200 [\"good\"]");
  }
}

TEST_CASE("plain answer: one larger than the blocks of its buffer is whole") {
  LoadedVm loaded("app:get('/', function() return { ('x'):rep(100000), ('y'):rep(3000000) } end)");
  for (int i = 0; i < 3; ++i) {
    const std::string answer = answer_to(loaded, get("/"));
    CHECK(answer == "200 [\"" + std::string(100'000, 'x') + "\",\"" + std::string(3'000'000, 'y') + "\"]");
  }
}
