// What the options mean to a worker.

#include <utility>

#include "server/worker.h"

namespace perigee::server {
namespace {

client::NetworkSettings network_settings(const Options& options) {
  client::NetworkSettings settings;
  settings.names.nameservers = options.nameservers;
  settings.names.timeout = milliseconds(options.name_timeout);
  settings.names.tries = static_cast<int>(options.name_tries);
  settings.names.cached = static_cast<std::size_t>(options.names);
  settings.pool_size = static_cast<std::size_t>(options.pool_size);
  settings.idle = milliseconds(options.pool_idle);
  settings.most_received = static_cast<std::size_t>(options.client_receive);
  settings.most_answered = static_cast<std::size_t>(options.client_body);
  settings.block_private = options.block_private;
  settings.ca_file = options.ca_file;
  return settings;
}

}  // namespace

void Worker::apply(std::shared_ptr<const Options> options) {
  options_ = std::move(options);
  head_limits_.request_line = static_cast<std::uint32_t>(options_->request_line);
  head_limits_.field_line = static_cast<std::uint32_t>(options_->field_line);
  head_limits_.total = static_cast<std::uint32_t>(options_->head);
  head_limits_.fields = static_cast<std::uint32_t>(options_->fields);
  head_memos_.clear();
  idle_timeout_ = static_cast<Milliseconds>(options_->idle_timeout * 1000);
  session_cookie_ = script::SessionCookie(options_->session_cookie);
  trusted_ = {};
  for (const std::string& proxy : options_->trusted_proxies) {
    (void)trusted_.add(proxy);  // check_options() has seen to it that it can be
  }
  proxy_header_ = options_->proxy_protocol == "required";
  files_.set_limits({static_cast<std::size_t>(options_->static_files),
                     static_cast<std::size_t>(options_->static_memory),
                     static_cast<std::size_t>(options_->sendfile_from), milliseconds(options_->static_check)});
  network_.apply(network_settings(*options_));
  channels_.apply({milliseconds(options_->channel_heartbeat), static_cast<std::size_t>(options_->output_watermark)});
  open_access_log();
}

}  // namespace perigee::server
