#include "server/admin.h"

#include "base/escape.h"
#include "http/problem.h"

namespace perigee::server {

Options admin_options(const Options& options, const net::SocketAddress& address) {
  Options admin;
  admin.app = "embedded:admin.app";
  admin.access = "off";
  admin.connections = 256;
  admin.time = options.reload_timeout + options.drain + 5;  // a reload may wait for old generations first
  admin.drain = 1;
  std::string& json = admin.app_config;
  json = "{\"token\":";
  append_json_string(json, options.admin_token);
  json += ",\"hosts\":[";
  if (address.is_loopback()) {
    json += R"("localhost","127.0.0.1","[::1]",)";
    append_json_string(json, address.family() == AF_INET6 ? "[" + address.host() + "]" : address.host());
  } else {
    json += R"("*")";  // reached by names we can't know; the token protects it
  }
  json += "]}";
  return admin;
}

std::string reload_json(const ReloadResult& result) {
  std::string json = result.ok ? "{\"ok\":true,\"generation\":" : "{\"ok\":false,\"generation\":";
  json += std::to_string(result.generation) + ",\"mistakes\":[";
  for (const std::string& mistake : result.mistakes) {
    json += json.back() == '[' ? "" : ",";
    append_json_string(json, mistake);
  }
  return json + "]}";
}

}  // namespace perigee::server
