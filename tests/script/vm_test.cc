#include "script/vm.h"

#include "vm_fixture.h"

using perigee::script::CancelReason;
using perigee::script::Task;
using perigee::script::Vm;

namespace {

constexpr const char* kHead = "local perigee = require 'perigee'\nlocal app = perigee.app()\n";

// The mistakes of a file with `text` in it; its folder is written "@".
std::vector<std::string> mistakes_of(const std::string& text) {
  const Scratch scratch;
  std::vector<std::string> mistakes;
  CHECK(LoadedVm::load(scratch.file("app.lua", text), mistakes) == nullptr);
  const std::string folder = scratch.path("");
  for (std::string& mistake : mistakes) {
    for (std::size_t at = 0; (at = mistake.find(folder)) != std::string::npos;) {
      mistake.replace(at, folder.size(), "@");
    }
  }
  return mistakes;
}

std::string only_mistake_of(const std::string& text) {
  const auto mistakes = mistakes_of(text);
  REQUIRE(mistakes.size() == 1);
  return mistakes[0];
}

}  // namespace

TEST_CASE("vm: a mistake in the app's file is told with file and line") {
  const auto [text, start] = GENERATE(table<std::string, std::string>({
      {"local x =\n\n)", "@app.lua:3: unexpected symbol near ')'"},
      {"local a = 1\nerror('oops')", "@app.lua:2: oops"},
      {"local function f()\n error('deep')\nend\nf()",
       "@app.lua:2: deep\nstack traceback:\n\t@app.lua:2: in function 'f'\n\t@app.lua:4: in main chunk"},
      {"error({ code = 7 })", "a table: {\"code\":7}\nstack traceback:\n\t@app.lua:1: in main chunk"},
      {"local a\na.b = 1", "@app.lua:2: attempt to index local 'a' (a nil value)"},
      {"local M = require 'no.such.module'", "@app.lua:1: module 'no.such.module' not found:"},
      {"return 7", "@app.lua: the file must end with `return app`"},
      {"", "@app.lua: the file must end with `return app`"},
      {"return {}", "@app.lua: the file must end with `return app`"},
      {"require('perigee').sleep(1)",
       "@app.lua:1: perigee.sleep can't be used at the top level of a file: put it in app:start"},
      {"require('perigee').app():get('/', 7)", "@app.lua:1: a handler is a function, got number"},
      {"require('perigee').app():get(7, print)", "@app.lua:1: a pattern is a string, got number"},
      {"require('perigee').app():route('A B', '/', print)", "@app.lua:1: a method is a token like \"GET\""},
      {"require('perigee').app():get('/', { quary = {} }, print)", "@app.lua:1: unknown key 'quary' in a route's spec"},
      {"require('perigee').app():get('/', { limits = { body = 'x' } }, print)", "@app.lua:1: limits.body is a number"},
      {"require('perigee').app():start(7)", "@app.lua:1: a handler is a function, got number"},
  }));
  const std::string mistake = only_mistake_of(text);
  INFO(mistake);
  CHECK(mistake.starts_with(start));
}

TEST_CASE("vm: a mistake has no traceback where that says nothing more") {
  for (const char* text : {"error('oops')", "require('perigee').app():get('/', 7)", "local a\na.b = 1"}) {
    INFO(text);
    CHECK(only_mistake_of(text).find('\n') == std::string::npos);
  }
}

TEST_CASE("vm: an app that is not there is one mistake") {
  std::vector<std::string> mistakes;
  CHECK(LoadedVm::load("/nowhere/app.lua", mistakes) == nullptr);
  REQUIRE(mistakes.size() == 1);
  CHECK(mistakes[0] ==
        "cannot open /nowhere/app.lua: No such file or directory: --app or server.app names the app's file");
}

TEST_CASE("vm: a module's mistake names the module's file and line") {
  const Scratch scratch;
  (void)scratch.file("broken.lua", "local x = 1\nlocal y = x .. {}\n");
  std::vector<std::string> mistakes;
  CHECK(LoadedVm::load(scratch.file("app.lua", "require 'broken'"), mistakes) == nullptr);
  REQUIRE(mistakes.size() == 1);
  CHECK(mistakes[0].starts_with(scratch.path("broken.lua") + ":2: attempt to concatenate a table value"));
}

TEST_CASE("vm: every mistake in the routes is told at once, each with file and line") {
  const auto mistakes = mistakes_of(std::string(kHead) +
                                    "local function h() end\n"
                                    "app:get('/a/{x}', h)\n"
                                    "app:get('/a/{y}', h)\n"
                                    "app:get('/b/{n:int}', h)\n"
                                    "app:get('no-slash', h)\n"
                                    "app:post('/a/{z}', h)\n"
                                    "app:get('/{rest*}/more', h)\n"
                                    "return app\n");
  REQUIRE(mistakes.size() == 4);
  CHECK(mistakes[0].find("@app.lua:4") != std::string::npos);
  CHECK(mistakes[0].find("@app.lua:5") != std::string::npos);
  CHECK(mistakes[1].find("@app.lua:6") != std::string::npos);
  CHECK(mistakes[1].find("'int'") != std::string::npos);
  CHECK(mistakes[2].find("@app.lua:7") != std::string::npos);
  CHECK(mistakes[3].find("@app.lua:9") != std::string::npos);
}

TEST_CASE("vm: bytecode is not loaded, as the app, as a module or by load") {
  const Scratch scratch;
  std::vector<std::string> mistakes;
  const std::string app = scratch.file("app.lua", "\x1bLJ\x02 bytes");
  CHECK(LoadedVm::load(app, mistakes) == nullptr);
  REQUIRE(mistakes.size() == 1);
  CHECK(mistakes[0].find("attempt to load chunk with wrong mode") != std::string::npos);
  LoadedVm loaded(
      "local code = string.dump(function() return 'ran' end)\n"
      "app:get('/load', function() return select(2, load(code)) end)\n"
      "app:get('/mode', function() return select(2, load(code, 'code', 'b')) end)\n"
      "app:get('/parts', function() local once = code\n"
      "  return select(2, load(function() local part = once once = nil return part end)) end)\n"
      "app:get('/loadstring', function() return select(2, loadstring(code)) end)");
  for (const std::string path : {"/load", "/mode", "/parts", "/loadstring"}) {
    CHECK(answer_to(loaded, get(path)).starts_with("200 attempt to load chunk with wrong mode"));
  }
}

TEST_CASE("vm: load and its kin take text, names and environments as ever") {
  LoadedVm loaded(
      "app:get('/', function() local f = load('return x', '=named', 't', { x = 'seen' }) return f() end)\n"
      "app:get('/name', function() return select(2, loadstring('x x')) end)\n"
      "app:get('/error', function() return select(2, load('x x', '=chunk')) end)");
  CHECK(answer_to(loaded, get("/")) == "200 seen");
  CHECK(answer_to(loaded, get("/name")) == "200 [string \"x x\"]:1: '=' expected near 'x'");
  CHECK(answer_to(loaded, get("/error")) == "200 chunk:1: '=' expected near 'x'");
}

TEST_CASE("vm: who listens to the compiler as a beta of LuaJIT can't bear is told so, others may listen") {
  LoadedVm loaded(
      "local jit = require 'jit'\n"
      "app:get('/', function() return select(2, pcall(require('jit.v').on, '-')) end)\n"
      "app:get('/attach', function() return select(2, pcall(jit.attach, function() end, 'trace')) end)\n"
      "app:get('/beta', function() return tostring(jit.version:find('beta') ~= nil) end)\n"
      "app:get('/record', function()\n"
      "  local function f() end\n"
      "  jit.attach(f, 'texit') jit.attach(f)\n"
      "  return 'attached'\n"
      "end)");
  if (answer_to(loaded, get("/beta")) == "200 true") {
    CHECK(answer_to(loaded, get("/")).find("this LuaJIT can crash while somebody listens") != std::string::npos);
    CHECK(answer_to(loaded, get("/attach")).starts_with("200 this LuaJIT can crash while somebody listens"));
  }
  CHECK(answer_to(loaded, get("/record")) == "200 attached");
}

TEST_CASE("vm: os.exit raises, at the place that calls it") {
  CHECK(only_mistake_of("local a\nos.exit(1)").starts_with("@app.lua:2: os.exit would end every worker"));
  LoadedVm loaded("app:get('/', function() return select(2, pcall(os.exit)) end)");
  CHECK(answer_to(loaded, get("/")) == "200 os.exit would end every worker: stop the server by a signal");
}

TEST_CASE("vm: its routes say method, pattern, place and limits") {
  const LoadedVm loaded(
      "app:get('/a', function() end)\n"
      "app:any('/b/{id:integer}', { limits = { body = '2KB', time = 1.5 } }, function() end)");
  const auto& routes = loaded.vm->routes();
  REQUIRE(routes.size() == 2);
  CHECK(routes[0].method == "GET");
  CHECK(routes[0].pattern == "/a");
  CHECK(routes[0].place == loaded.scratch.path("app.lua") + ":2");
  CHECK(routes[0].body_limit == -1);
  CHECK(routes[0].time_limit == -1);
  CHECK(routes[1].method == "*");
  CHECK(routes[1].body_limit == 2000);
  CHECK(routes[1].time_limit == 1.5);
}

TEST_CASE("vm: perigee.config and perigee.worker say what it was loaded with") {
  perigee::script::VmSettings settings;
  settings.config_json = R"({"name":"x","list":[1,2]})";
  settings.worker_id = 2;
  settings.worker_count = 5;
  LoadedVm loaded(
      "local seen = perigee.config.name .. #perigee.config.list .. perigee.worker.id .. perigee.worker.count\n"
      "app:get('/', function() return seen end)",
      settings);
  CHECK(answer_to(loaded, get("/")) == "200 x235");
}

TEST_CASE("vm: it knows which hooks an app has") {
  const LoadedVm none("");
  CHECK_FALSE(none.vm->has_after());
  CHECK_FALSE(none.vm->has_error_hook());
  CHECK_FALSE(none.vm->has_refusal_hook());
  CHECK_FALSE(none.vm->has_start_hooks());
  CHECK_FALSE(none.vm->has_stop_hooks());
  const LoadedVm all("local function f() end app:after(f) app:error(f) app:not_found(f) app:start(f) app:stop(f)");
  CHECK(all.vm->has_after());
  CHECK(all.vm->has_error_hook());
  CHECK(all.vm->has_refusal_hook());
  CHECK(all.vm->has_start_hooks());
  CHECK(all.vm->has_stop_hooks());
}

TEST_CASE("vm: tasks are pooled, and each use has a serial of its own") {
  LoadedVm loaded("");
  Vm& vm = *loaded.vm;
  Task& first = vm.take_task();
  const double serial = first.view.serial;
  Task& second = vm.take_task();
  CHECK(&first != &second);
  CHECK(second.view.serial != serial);
  CHECK(vm.busy_tasks() == 2);
  vm.give_task(first);
  CHECK(first.view.serial != serial);
  CHECK(vm.busy_tasks() == 1);
  Task& third = vm.take_task();
  CHECK(&third == &first);
  CHECK(third.view.serial != serial);
  vm.give_task(third);
  vm.give_task(second);
  CHECK(vm.busy_tasks() == 0);
}

TEST_CASE("vm: only a waiting task becomes ready, and only once") {
  LoadedVm loaded("");
  Vm& vm = *loaded.vm;
  Task& task = vm.take_task();
  vm.make_ready(task);
  CHECK_FALSE(vm.has_ready());
  task.waiting = true;
  vm.make_ready(task);
  vm.make_ready(task);
  CHECK(vm.has_ready());
  CHECK(vm.take_ready().size() == 1);
  CHECK_FALSE(vm.has_ready());
  vm.give_task(task);
}

TEST_CASE("vm: a task is cancelled for one reason, the first") {
  LoadedVm loaded("");
  Vm& vm = *loaded.vm;
  Task& task = vm.take_task();
  vm.cancel(task, CancelReason::kTimeLimit);
  vm.cancel(task, CancelReason::kClientGone);
  CHECK(task.view.cancelled == static_cast<int>(CancelReason::kTimeLimit));
  vm.give_task(task);
  CHECK(vm.take_task().view.cancelled == 0);
}

TEST_CASE("vm: its state and its coroutines lead back to it") {
  LoadedVm loaded("");
  CHECK(&Vm::of(loaded.vm->state()) == loaded.vm.get());
  Task& task = loaded.vm->take_task();
  CHECK(&Vm::of(task.coroutine) == loaded.vm.get());
  CHECK(loaded.vm->heap_bytes() > 0);
  loaded.vm->give_task(task);
}

TEST_CASE("vm: routes are described as JSON with method, pattern, place and the types of parameters") {
  const LoadedVm none("");
  CHECK(none.vm->description("routes_json") == "[]");
  const LoadedVm loaded(
      "app:get('/', function() end)\n"
      "app:any('/users/{id:integer}/{name}', { name = 'user' }, function() end)\n"
      "app:route('propfind', '/files/\"q\"/{path*}', function() end)");
  const std::string place = loaded.scratch.path("app.lua") + ":";
  CHECK(loaded.vm->description("routes_json") ==
        R"([{"method":"GET","params":{},"pattern":"/","place":")" + place + R"(2"},)" +
            R"({"method":"ANY","name":"user","params":{"id":"integer","name":"string"},)" +
            R"("pattern":"/users/{id:integer}/{name}","place":")" + place + R"(3"},)" +
            R"({"method":"PROPFIND","params":{"path":"rest"},"pattern":"/files/\"q\"/{path*}","place":")" + place +
            R"(4"}])");
}

TEST_CASE("vm: an app's types are named in its patterns, and every mistake of its specs is told") {
  const LoadedVm loaded(
      "app:get('/{x:game}', function() end)\n"
      "app:type('game', function(text) return text end)");
  CHECK(loaded.vm->routes().at(0).types == "params{x:game}");
  Scratch scratch;
  std::vector<std::string> mistakes;
  CHECK(LoadedVm::load(scratch.file("app.lua",
                                    "local perigee = require 'perigee' local app = perigee.app()\n"
                                    "app:get('/a', { query = { x = 'nope' } }, function() end)\n"
                                    "app:get('/b', { params = { y = 'integer' } }, function() end)\n"
                                    "app:get('/c/{x:none}', function() end)\nreturn app\n"),
                       mistakes) == nullptr);
  REQUIRE(mistakes.size() == 3);
  CHECK(mistakes[0].find("app.lua:2: in 'query': unknown type 'nope'") != std::string::npos);
  CHECK(mistakes[1].find("app.lua:3: 'params' names 'y', which the pattern '/b' does not") != std::string::npos);
  CHECK(mistakes[2].find("app.lua:4: pattern '/c/{x:none}': unknown type 'none'") != std::string::npos);
}
