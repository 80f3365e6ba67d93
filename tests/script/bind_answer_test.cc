#include "vm_fixture.h"

namespace {

struct Sent {
  int status;
  std::string type, body, fields;
};

// What a handler with `code` in it is answered as.
Sent sent(const std::string& code, const std::string& request = get("/")) {
  LoadedVm loaded("app:any('/', function(req) " + code + " end)");
  Request asked(loaded, request);
  REQUIRE(asked.outcome == Request::Outcome::kAnswered);
  return {asked.status(), asked.type(), asked.body(), asked.fields()};
}

constexpr const char* kText = "text/plain; charset=utf-8";
constexpr const char* kHtml = "text/html; charset=utf-8";
constexpr const char* kJson = "application/json";
constexpr const char* kProblem = "application/problem+json";

}  // namespace

TEST_CASE("answer: what a handler returns decides status, type and body") {
  const auto [code, status, type, body] = GENERATE(table<std::string, int, std::string, std::string>({
      {"return 'hello'", 200, kText, "hello"},
      {"return ''", 200, kText, ""},
      {"return 'a\\0b'", 200, kText, std::string("a\0b", 3)},
      {"return { a = 1 }", 200, kJson, R"({"a":1})"},
      {"return {}", 200, kJson, "{}"},
      {"return perigee.array()", 200, kJson, "[]"},
      {"return 201, 'made'", 201, kText, "made"},
      {"return 201, { id = 7 }", 201, kJson, R"({"id":7})"},
      {"return 204", 204, "", ""},
      {"return 200", 200, "", ""},
      {"return", 204, "", ""},
      {"return nil", 204, "", ""},
      {"return 202, nil", 202, "", ""},
      {"return 404", 404, kProblem, R"({"request_id":"id-1","status":404,"title":"Not Found"})"},
      {"return 599, 'odd'", 599, kText, "odd"},
      {"return perigee.text('t')", 200, kText, "t"},
      {"return perigee.json('s')", 200, kJson, R"("s")"},
      {"return perigee.json(nil)", 200, kJson, "null"},
      {"return perigee.json(perigee.null)", 200, kJson, "null"},
      {"return perigee.bytes('\\255\\0', 'image/png')", 200, "image/png", std::string("\xff\0", 2)},
      {"return perigee.bytes('x')", 200, "application/octet-stream", "x"},
      {"return 201, perigee.text('t')", 201, kText, "t"},
      {"return perigee.html('<b>{x}</b>')", 200, kHtml, "<b>{x}</b>"},
      {"return perigee.html('<b>{x}</b>', { x = '<i>' })", 200, kHtml, "<b>&lt;i&gt;</b>"},
      {"return 404, perigee.html('<b>{x}</b>', { x = 7 })", 404, kHtml, "<b>7</b>"},
      {"return 200, perigee.html('x'), { ['Content-Type'] = 'text/x' }", 200, "text/x", "x"},
      {"local r = perigee.html('x') r.headers['Content-Type'] = 'text/x' return r", 200, "text/x", "x"},
      {"local r = perigee.problem(400) r.body = 'mine' return r", 400, kText, "mine"},
      {"local r = perigee.text('t') r.status = 203 return r", 203, kText, "t"},
      {"local r = perigee.text('t') r.status = 203 return 202, r", 202, kText, "t"},
  }));
  const Sent answer = sent(code);
  CHECK(answer.status == status);
  CHECK(answer.type == type);
  if (type == kProblem) {
    CHECK(answer.body.size() == body.size());  // the order of its members is nobody's promise
    for (const char* member : {R"("status":404)", R"("title":"Not Found")", R"("request_id":"id-1")"}) {
      CHECK(answer.body.find(member) != std::string::npos);
    }
  } else {
    CHECK(answer.body == body);
  }
}

TEST_CASE("answer: headers are added, and outer ones win over a response value's") {
  const auto [code, fields, type] = GENERATE(table<std::string, std::string, std::string>({
      {"return 200, 'x', { ['X-A'] = 'b' }", "X-A: b\r\n", kText},
      {"return 200, 'x', { ['X-A'] = 7 }", "X-A: 7\r\n", kText},
      {"return 200, 'x', { ['X-A'] = { 'b', 'c', 3 } }", "X-A: b\r\nX-A: c\r\nX-A: 3\r\n", kText},
      {"return 200, 'x', { ['X-A'] = {} }", "", kText},
      {"return 200, 'x', { ['Content-Type'] = 'text/css' }", "", "text/css"},
      {"return 200, { 1 }, { ['content-type'] = 'application/x+json' }", "", "application/x+json"},
      {"local r = perigee.text('t') r.headers['x-a'] = 'in' return r", "x-a: in\r\n", kText},
      {"local r = perigee.text('t') r.headers['x-a'] = 'in' return 200, r, { ['x-a'] = 'out' }", "x-a: out\r\n", kText},
      {"return 200, perigee.bytes('b', 'image/png'), { ['content-type'] = 'image/gif' }", "", "image/gif"},
      {"return 204, nil, { ['x-a'] = 'b' }", "x-a: b\r\n", ""},
      {"return 200, 'x', { ['x-a'] = req.query.none, ['x-b'] = 'c' }", "x-b: c\r\n", kText},
      {"return 200, 'x', { ['x-a'] = '', ['content-TYPE'] = 'text/css' }", "x-a: \r\n", "text/css"},
      {"return 200, 'x', { a = '1', b = '2', c = '3', d = '4', e = '5', f = '6', g = '7', h = '8' }",
       "a: 1\r\nb: 2\r\nc: 3\r\nd: 4\r\ne: 5\r\nf: 6\r\ng: 7\r\nh: 8\r\n", kText},
      {"return 200, 'x', nil", "", kText},
  }));
  const Sent answer = sent(code);
  CHECK(answer.status < 300);
  CHECK(answer.fields == fields);
  CHECK(answer.type == type);
}

TEST_CASE("answer: a redirect is 307 after GET and HEAD, 303 after others, or what was said") {
  const auto [code, method, status] = GENERATE(table<std::string, std::string, int>({
      {"return perigee.redirect('/to')", "GET", 307},
      {"return perigee.redirect('/to')", "HEAD", 307},
      {"return perigee.redirect('/to')", "POST", 303},
      {"return perigee.redirect('/to')", "DELETE", 303},
      {"return perigee.redirect('/to', 301)", "POST", 301},
      {"return 308, perigee.redirect('/to', 301)", "POST", 308},
  }));
  const Sent answer = sent(code, method + " / HTTP/1.1\r\nHost: h\r\n\r\n");
  CHECK(answer.status == status);
  CHECK(answer.fields == "location: /to\r\n");
  CHECK(answer.body.empty());
}

TEST_CASE("answer: what no answer can be made of is a 500 that names the handler's place") {
  const auto [code, message] = GENERATE(table<std::string, std::string>({
      {"return true", "returned a boolean as a body"},
      {"return print", "returned a function as a body"},
      {"return 7.5, 'x'", "returned a status that is no integer from 200 to 599"},
      {"return 199, 'x'", "returned a status that is no integer from 200 to 599"},
      {"return 600", "returned a status that is no integer from 200 to 599"},
      {"return 0/0", "returned a status that is no integer from 200 to 599"},
      {"return -1", "returned a status that is no integer from 200 to 599"},
      {"return 1e300", "returned a status that is no integer from 200 to 599"},
      {"return 'x', 200", "returned a string and then a number: a status comes first, `return status, body, headers`"},
      {"return 200, true", "returned a boolean as a body"},
      {"return 200, 'x', 'y'", "returned headers that are a string, not a table"},
      {"return 200, 'x', { [1] = 'y' }", "returned headers with a name that is no string"},
      {"return 200, 'x', { a = true }", "returned a header 'a' that is a boolean"},
      {"return 200, 'x', { a = { {} } }", "returned a header 'a' that is a table"},
      {"return 200, 'x', { a = 'b\\r\\nc: d' }",
       "returned a header 'a' whose value holds CR, LF, NUL or another control byte"},
      {"return 200, 'x', { ['a\\r\\nb'] = 'c' }", "returned a header whose name is no token of RFC 9110"},
      {"return 200, 'x', { ['Content-Length'] = 5 }",
       "returned a header 'Content-Length', which the server sets itself"},
      {"return 200, 'x', { a = 'b', ['Content-Type'] = 'c\\r' }",
       "returned a header 'Content-Type' whose value holds CR, LF, NUL or another control byte"},
      {"return 700, 'x', { a = 'b' }", "returned a status that is no integer from 200 to 599"},
      {"return perigee.bytes('x', 'a\\nb')", "returned a content type that holds CR, LF, NUL or another control byte"},
      {"return { f = print }", "returned a table that is no JSON: a function at $.f can't be written as JSON"},
      {"return { 'x', '\\255' }",
       "returned a table that is no JSON: a string that is not UTF-8 at $[2] can't be written as JSON"},
  }));
  const EventLog log;
  const Sent answer = sent(code);
  CHECK(answer.status == 500);
  CHECK(answer.type == kProblem);
  CHECK(answer.fields.empty());
  CHECK(answer.body.find("app.lua") == std::string::npos);
  REQUIRE(log.events.size() == 1);
  CHECK(log.events[0].level == perigee::LogLevel::kError);
  CHECK(log.events[0].request_id == "id-1");
  CHECK(log.events[0].message.starts_with("the handler at "));
  CHECK(log.events[0].message.find("app.lua:2 " + message) != std::string::npos);
}

TEST_CASE("answer: nil and an error is a 500 recorded as that error") {
  const EventLog log;
  const Sent answer = sent("return nil, 'database is away'");
  CHECK(answer.status == 500);
  REQUIRE(log.events.size() == 1);
  CHECK(log.events[0].message.starts_with("database is away"));
  CHECK(log.events[0].message.find("app.lua:2") != std::string::npos);
}

TEST_CASE("answer: a problem has its members and headers, and the request's id") {
  const Sent answer = sent("return perigee.problem(409, 'taken', { name = 'x' }, { ['retry-after'] = 3 })");
  CHECK(answer.status == 409);
  CHECK(answer.type == kProblem);
  CHECK(answer.fields == "retry-after: 3\r\n");
  for (const char* member :
       {R"("title":"Conflict")", R"("status":409)", R"("detail":"taken")", R"("name":"x")", R"("request_id":"id-1")"}) {
    CHECK(answer.body.find(member) != std::string::npos);
  }
}

TEST_CASE("answer: a response value that is returned twice is answered twice the same") {
  LoadedVm loaded("local shared = perigee.json { a = 1 } app:get('/', function() return shared end)");
  CHECK(answer_to(loaded, get("/")) == R"(200 {"a":1})");
  CHECK(answer_to(loaded, get("/")) == R"(200 {"a":1})");
}

TEST_CASE("answer: an outer header takes the place of the value's, whatever the case of its name") {
  const auto [code, fields] = GENERATE(table<std::string, std::string>({
      {"local r = perigee.text('t') r.headers['x-a'] = 'inner' return 200, r, { ['X-A'] = 'outer' }", "X-A: outer\r\n"},
      {"local r = perigee.text('t') r.headers['x-a'] = { '1', '2' } return 200, r, { ['x-b'] = 3 }",
       "x-b: 3\r\nx-a: 1\r\nx-a: 2\r\n"},
      {"return 301, perigee.redirect('/a'), { Location = '/b' }", "Location: /b\r\n"},
      {"return 200, 'x', { ['x-a'] = {} }", ""},
      {"return 200, 'x', { ['x-a'] = { 1, 'two' } }", "x-a: 1\r\nx-a: two\r\n"},
  }));
  CHECK(sent(code).fields == fields);
}

TEST_CASE("answer: a problem's document says the status that is sent") {
  const Sent answer = sent("return 410, perigee.problem(404, 'was here')");
  CHECK(answer.status == 410);
  CHECK(answer.body.find(R"("status":410)") != std::string::npos);
  CHECK(answer.body.find(R"("title":"Gone")") != std::string::npos);
  const Sent titled = sent("local p = perigee.problem(404) p.body.title = 'Mine' return 410, p");
  CHECK(titled.body.find(R"("title":"Mine")") != std::string::npos);
}
