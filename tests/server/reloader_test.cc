#include "server/reloader.h"

#include "../script/vm_fixture.h"

using perigee::server::Options;

TEST_CASE("reloader: a VM's settings are those of the options and its place among the workers") {
  Options options;
  options.app = "some/app.lua";
  options.app_config = "{\"a\":1}";
  options.json_depth = 7;
  options.form_fields = 8;
  const auto settings = perigee::server::vm_settings(options, 2, 5);
  CHECK(settings.app_path == "some/app.lua");
  CHECK(settings.config_json == "{\"a\":1}");
  CHECK(settings.json_depth == 7);
  CHECK(settings.form_fields == 8);
  CHECK(settings.worker_id == 2);
  CHECK(settings.worker_count == 5);
}

TEST_CASE("reloader: routes are listed as JSON with method, pattern, place and the types of parameters") {
  const LoadedVm none("");
  CHECK(perigee::server::routes_as_json(*none.vm) == "[]");
  const LoadedVm loaded(
      "app:get('/', function() end)\n"
      "app:any('/users/{id:integer}/{name}', function() end)\n"
      "app:route('propfind', '/files/\"q\"/{path*}', function() end)");
  const std::string place = loaded.scratch.path("app.lua") + ":";
  CHECK(perigee::server::routes_as_json(*loaded.vm) ==
        R"([{"method":"GET","pattern":"/","place":")" + place + R"(2","params":{}},)" +
            R"({"method":"ANY","pattern":"/users/{id:integer}/{name}","place":")" + place +
            R"(3","params":{"id":"integer","name":"string"}},)" +
            R"({"method":"PROPFIND","pattern":"/files/\"q\"/{path*}","place":")" + place +
            R"(4","params":{"path":"rest"}}])");
}
