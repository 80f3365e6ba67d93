#include "server/vm_settings.h"

#include "../script/vm_fixture.h"

using perigee::server::Options;

TEST_CASE("vm settings: a VM's settings are those of the options and its place among the workers") {
  Options options;
  options.app = "some/app.lua";
  options.app_config = "{\"a\":1}";
  options.json_depth = 7;
  options.form_fields = 8;
  options.channel_message = 2048;
  options.channel_queue = 9;
  options.channel_heartbeat = 2.5;
  const auto settings = perigee::server::vm_settings(options, 2, 5);
  CHECK(settings.app_path == "some/app.lua");
  CHECK(settings.config_json == "{\"a\":1}");
  CHECK(settings.json_depth == 7);
  CHECK(settings.form_fields == 8);
  CHECK(settings.message_bytes == 2048);
  CHECK(settings.message_queue == 9);
  CHECK(settings.heartbeat == 2.5);
  CHECK_FALSE(settings.development);
  options.dev = true;
  CHECK(perigee::server::vm_settings(options, 2, 5).development);
  CHECK(settings.worker_id == 2);
  CHECK(settings.worker_count == 5);
}
