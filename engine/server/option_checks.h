#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "server/options.h"

namespace perigee::server {

/// Something that one value alone does not show: an address that is none, two options that contradict each other.
struct OptionFault {
  std::string option;      ///< "server.listen", where it is best mended
  std::size_t item = 0;    ///< of a list
  std::string message;     ///< a whole sentence; shows no string that was configured
  std::string other = {};  ///< the option that it contradicts, if one
};

/// Every fault of options whose values are each of the right type and range. Pure; any thread.
[[nodiscard]] std::vector<OptionFault> check_options(const Options& options);

}  // namespace perigee::server
