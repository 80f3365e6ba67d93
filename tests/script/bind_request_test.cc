#include "vm_fixture.h"

namespace {

// What a handler with `code` in it answers to a request.
std::string run(const std::string& code, const std::string& request = get("/")) {
  LoadedVm loaded("app:any('/', function(req) " + code + " end) app:any('/p/{rest*}', function(req) " + code + " end)");
  return answer_to(loaded, request);
}

std::string post(const std::string& body, const std::string& fields) {
  return "POST / HTTP/1.1\r\nHost: h\r\n" + fields + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         body;
}

constexpr const char* kForm = "Content-Type: application/x-www-form-urlencoded\r\n";

// Lua that shows a table of strings, sorted.
constexpr const char* kShow =
    "local function show(t) local all = {} for k, v in pairs(t) do all[#all + 1] = k .. '=' .. v end"
    " table.sort(all) return table.concat(all, ',') end ";

}  // namespace

TEST_CASE("req: its fields say what the request said") {
  const auto [field, value] = GENERATE(table<std::string, std::string>({
      {"method", "POST"},
      {"path", "/p/a b"},
      {"target", "/p/a%20b?x=1"},
      {"version", "1.1"},
      {"host", "example:80"},
      {"scheme", "https"},
      {"remote_addr", "192.0.2.7"},
      {"id", "id-1"},
      {"route", "/p/{rest*}"},
      {"body", "the body"},
  }));
  const std::string bytes = "POST /p/a%20b?x=1 HTTP/1.1\r\nHost: example:80\r\nContent-Length: 8\r\n\r\nthe body";
  CHECK(run("return req." + field, bytes) == "200 " + value);
  CHECK(run("local once = req." + field + " return tostring(once == req." + field + ")", bytes) == "200 true");
}

TEST_CASE("req: the query holds the first value of each name, query_all every one") {
  const auto [target, query, all] = GENERATE(table<std::string, std::string, std::string>({
      {"/", "", ""},
      {"/?a=1", "a=1", "1"},
      {"/?a=1&a=2&b=3", "a=1,b=3", "1|2"},
      {"/?b=1&b=2&b=3&b=4&a=5", "a=5,b=1", "5"},
      {"/?a=1&b=2&c=3&d=4&e=5&a=6", "a=1,b=2,c=3,d=4,e=5", "1|6"},
      {"/?a=x+y&%61=%C3%A4", "a=x y", "x y|\xc3\xa4"},
      {"/?a&b=", "a=,b=", ""},
  }));
  CHECK(run(kShow + std::string("return show(req.query)"), get(target)) == "200 " + query);
  CHECK(run("return table.concat(req:query_all('a'), '|')", get(target)) == "200 " + all);
}

TEST_CASE("req: form is read where the client says that it sent one") {
  const auto [type, form] = GENERATE(table<std::string, std::string>({
      {kForm, "a=x y,b=2"},
      {"Content-Type: Application/X-WWW-Form-Urlencoded; charset=utf-8\r\n", "a=x y,b=2"},
      {"Content-Type: text/plain\r\n", ""},
      {"", ""},
  }));
  CHECK(run(kShow + std::string("return show(req.form)"), post("a=x+y&b=2&a=3", type)) == "200 " + form);
}

TEST_CASE("req: more fields than allowed are a 400") {
  perigee::script::VmSettings settings;
  settings.form_fields = 6;
  LoadedVm loaded(
      "app:any('/', function(req) local n = 0 for _ in pairs(req.query) do n = n + 1 end return '' .. n end)",
      settings);
  CHECK(answer_to(loaded, get("/?1=&2=&3=&4=&5=&6=")) == "200 6");
  CHECK(answer_to(loaded, get("/?1=&2=&3=&4=&5=&6=&7=")).starts_with("400 "));
}

TEST_CASE("req: headers are found in any case, joined where they repeat, nil where they miss") {
  const std::string request = get("/", "X-One: 1\r\nX-LIST: a\r\nx-list: b\r\nUser-Agent: me\r\n");
  CHECK(run("return req:header('x-one') .. req:header('X-List') .. req:header('USER-AGENT')", request) == "200 1ame");
  CHECK(run("return tostring(req:header('x-none')) .. tostring(req:header('accept'))", request) == "200 nilnil");
  CHECK(run(kShow + std::string("return show(req.headers)"), request) ==
        "200 host=example,user-agent=me,x-list=a, b,x-one=1");
  CHECK(run("return tostring(req:header(''))", request) == "200 nil");
}

TEST_CASE("req: cookies are those of every field, the first of a name counting") {
  const auto [fields, cookies] = GENERATE(table<std::string, std::string>({
      {"", ""},
      {"Cookie: a=1; b=2\r\n", "a=1,b=2"},
      {"Cookie: a=1; a=2\r\n", "a=1"},
      {"Cookie: a=1\r\nCookie: b=2; a=3\r\n", "a=1,b=2"},
      {"Cookie: a=1; b=2; c=3; d=4; e=5; a=6\r\n", "a=1,b=2,c=3,d=4,e=5"},
      {"Cookie: a=\"quoted\"; nonsense\r\n", "a=quoted"},
  }));
  CHECK(run(kShow + std::string("return show(req.cookies)"), get("/", fields)) == "200 " + cookies);
}

TEST_CASE("req: the body is raw, or JSON where it is some") {
  CHECK(run("return req:raw()", post("{\"a\":[1]}", "")) == "200 {\"a\":[1]}");
  CHECK(run("return '' .. req:json().a[1]", post("{\"a\":[1]}", "")) == "200 1");
  CHECK(run("local v, err = req:json() return tostring(v) .. ' ' .. type(err)", post("no", "")) == "200 nil string");
}

TEST_CASE("req: parameters have the types of their pattern") {
  LoadedVm loaded(
      "app:get('/i/{v:integer}', function(req) return type(req.params.v) .. req.params.v end)\n"
      "app:get('/n/{v:number}', function(req) return type(req.params.v) .. req.params.v end)\n"
      "app:get('/b/{v:boolean}', function(req) return type(req.params.v) .. tostring(req.params.v) end)\n"
      "app:get('/s/{v}/{w}', function(req) return req.params.v .. '-' .. req.params.w end)\n"
      "app:get('/j/{v:json}', function(req) return req.params.v end)\n"
      "app:get('/none', function(req) return tostring(next(req.params)) end)");
  CHECK(answer_to(loaded, get("/i/42")) == "200 number42");
  CHECK(answer_to(loaded, get("/i/-7")) == "200 number-7");
  CHECK(answer_to(loaded, get("/n/2.5")) == "200 number2.5");
  CHECK(answer_to(loaded, get("/b/true")) == "200 booleantrue");
  CHECK(answer_to(loaded, get("/b/false")) == "200 booleanfalse");
  CHECK(answer_to(loaded, get("/s/a%20b/c")) == "200 a b-c");
  CHECK(answer_to(loaded, get("/j/%7B%22a%22:1%7D")) == "200 {\"a\":1}");
  CHECK(answer_to(loaded, get("/none")) == "200 nil");
}

TEST_CASE("req: only ctx can be assigned") {
  CHECK(run("req.ctx.user = 'ada' return req.ctx.user") == "200 ada");
  CHECK(run("req.ctx = { a = 'b' } return req.ctx.a") == "200 b");
  CHECK(run("local _, err = pcall(function() req.user = 1 end) return err:match('req%.user.*')") ==
        "200 req.user can't be assigned: put it into req.ctx");
  CHECK(run("return tostring(req.nothing)") == "200 nil");
}

TEST_CASE("req: a kept request shows what was read, and raises for the rest once it has ended") {
  LoadedVm loaded(
      "app:get('/keep', function(req) kept = req local _ = req.path, req.query return 'kept' end)\n"
      "app:get('/show', function() return kept.path .. kept.query.a end)\n"
      "app:get('/field', function() return select(2, pcall(function() return kept.host end)) end)\n"
      "app:get('/headers', function() return select(2, pcall(function() return kept.headers end)) end)\n"
      "app:get('/header', function() return select(2, pcall(kept.header, kept, 'host')) end)\n"
      "app:get('/cookie', function() return select(2, pcall(kept.set_cookie, kept, 'a', 'b')) end)");
  CHECK(answer_to(loaded, get("/keep?a=1")) == "200 kept");
  CHECK(answer_to(loaded, get("/show")) == "200 /keep1");
  for (const std::string path : {"/field", "/headers", "/header", "/cookie"}) {
    CHECK(answer_to(loaded, get(path)).find("request has ended") != std::string::npos);
  }
}

TEST_CASE("req: cookies that are set ride on whatever answer is sent") {
  const EventLog log;
  LoadedVm loaded(
      "app:get('/{how}', function(req)\n"
      "  req:set_cookie('a', 'b') req:set_cookie('c', 'd', { path = '/p', max_age = 60, secure = true,"
      " http_only = false, same_site = 'strict', domain = 'example.org' })\n"
      "  req:delete_cookie('old') if req.params.how == 'raise' then error('oops') end return 'x' end)");
  for (const std::string path : {"/well", "/raise"}) {
    Request request(loaded, get(path));
    const std::string& lines = request.exchange.answer.cookies;
    CHECK(lines.starts_with("Set-Cookie: a=b; "));
    CHECK(lines.find("HttpOnly") != std::string::npos);
    CHECK(lines.find("Set-Cookie: c=d; ") != std::string::npos);
    CHECK(lines.find("Domain=example.org") != std::string::npos);
    CHECK(lines.find("SameSite=Strict") != std::string::npos);
    CHECK(lines.find("Set-Cookie: old=; ") != std::string::npos);
    CHECK(lines.find("Max-Age=0") != std::string::npos);
    CHECK(std::count(lines.begin(), lines.end(), '\n') == 3);
  }
}

TEST_CASE("req: a cookie that can't be set raises and sets nothing") {
  const auto [call, error] = GENERATE(table<std::string, std::string>({
      {"req.set_cookie, req, 'a b', 'c'", "name"},
      {"req.set_cookie, req, 'a', 'b;c'", "value"},
      {"req.set_cookie, req, 'a', 'b\\r\\nX: y'", "value"},
      {"req.set_cookie, req, 'a', 'b', { path = '/;x' }", "path"},
      {"req.set_cookie, req, 'a', 'b', { same_site = 'odd' }", "same_site is 'strict', 'lax' or 'none'"},
      {"req.set_cookie, req, 'a', 'b', { max_age = 1/0 }", "max_age is a number of seconds"},
      {"req.set_cookie, req, 'a', 'b', { max_age = 0/0 }", "max_age is a number of seconds"},
      {"req.set_cookie, req, 'a', 'b', 7", "table expected"},
      {"req.set_cookie, req, 'a'", "string expected"},
  }));
  LoadedVm loaded("app:get('/', function(req) return tostring(select(2, pcall(" + call + "))) end)");
  Request request(loaded, get("/"));
  CHECK(request.status() == 200);
  INFO(request.body());
  CHECK(request.body().find(error) != std::string::npos);
  CHECK(request.exchange.answer.cookies.empty());
}
