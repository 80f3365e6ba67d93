#pragma once

#include <string>
#include <vector>

#include "net/file_watch.h"
#include "server/options.h"

// What `serve --dev` changes. Pure; any thread.
namespace perigee::server {

/// Makes options fit for saving every few seconds: old versions of the app don't linger. Changes nothing unless in
/// development.
void soften_for_development(Options& options);

/// What is watched for saves: the app's folder with all below it, and the configuration, if there is any.
[[nodiscard]] net::FileWatch::Settings watch_settings(const Options& options, const std::string& config_path);

/// What an operator should be told, a line each.
[[nodiscard]] std::vector<std::string> development_warnings(const Options& options);

}  // namespace perigee::server
