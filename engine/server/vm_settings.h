#pragma once

#include "script/vm.h"
#include "server/options.h"

namespace perigee::server {

/// What an app is loaded with on worker `worker` of `workers`.
[[nodiscard]] script::VmSettings vm_settings(const Options& options, int worker, int workers);

}  // namespace perigee::server
