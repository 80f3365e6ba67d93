#pragma once

#include "server/options.h"
#include "state/session_store.h"

namespace perigee::server {

/// What the configuration says of sessions.
[[nodiscard]] inline state::SessionStore::Settings session_settings(const Options& options) {
  return {milliseconds(options.session_idle), milliseconds(options.session_absolute),
          static_cast<std::size_t>(options.session_max), static_cast<std::size_t>(options.session_size)};
}

}  // namespace perigee::server
