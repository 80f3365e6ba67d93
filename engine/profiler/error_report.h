#pragma once

#include <string>

#include "profiler/error_desk.h"

namespace perigee::profiler {

/// What a desk has collected as the admin port shows it: {"errors": [...], "total", "ignored", "forgotten_kinds"}. An
/// error has signature, message, count, first_seen and last_seen (seconds since 1970), routes and hosts (each an object
/// from names to counts), traceback and sample.
[[nodiscard]] std::string errors_json(const ErrorDesk& desk);

/// One line for the log: how many errors of how many kinds, and the most frequent; "" where there was none.
[[nodiscard]] std::string errors_summary(const ErrorDesk& desk);

}  // namespace perigee::profiler
