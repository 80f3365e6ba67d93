#include "server/vm_settings.h"

#include "files/upload_form.h"
#include "script/vm_limits.h"

namespace perigee::server {

script::VmSettings vm_settings(const Options& options, int worker, int workers) {
  script::VmSettings settings;
  settings.app_path = options.app;
  settings.config_json = options.app_config;
  settings.json_depth = static_cast<int>(options.json_depth);
  settings.message_bytes = static_cast<std::size_t>(options.channel_message);
  settings.message_queue = static_cast<std::size_t>(options.channel_queue);
  settings.heartbeat = options.channel_heartbeat;
  settings.form_fields = static_cast<int>(options.form_fields);
  settings.upload.folder = files::upload_folder(options.upload_folder);
  settings.upload.memory = static_cast<std::size_t>(options.upload_memory);
  settings.upload.parts = static_cast<std::size_t>(options.form_fields);
  settings.upload.files = static_cast<std::size_t>(options.form_files);
  settings.worker_id = worker;
  settings.worker_count = workers;
  settings.limits.cpu = script::nanoseconds_limit(options.cpu);
  settings.limits.memory = script::bytes_limit(static_cast<double>(options.memory));
  settings.limits.vm_memory = script::bytes_limit(static_cast<double>(options.vm_memory));
  settings.limits.vm_most = script::bytes_limit(static_cast<double>(options.vm_memory_most));
  settings.limits.job = script::nanoseconds_limit(options.background_cpu);
  settings.limits.load = script::nanoseconds_limit(options.reload_timeout);
  settings.development = options.dev;
  return settings;
}

}  // namespace perigee::server
