#pragma once

#include <functional>
#include <string>

#include "server/run_record.h"

namespace perigee::server {

/// Has `work` done in a process of its own, as what a test calls may end the process it runs in: a crash in a C
/// function, _exit(0). This one waits, hands on what signals it gets, and returns the exit code: the other's where that
/// closed its record, else what `after` makes of the record and of how the process ended ("by signal 11 (Segmentation
/// fault)", "with code 0"). Under a debugger, and where there can be no other process, `work` is done in this one, and
/// its record keeps nothing. REQUIRES: no other thread has begun.
[[nodiscard]] int oversee(const std::function<int(RunRecord& record)>& work,
                          const std::function<int(const RunRecord& record, const std::string& how)>& after);

}  // namespace perigee::server
