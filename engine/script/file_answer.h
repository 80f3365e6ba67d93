#pragma once

#include <string>
#include <string_view>

#include "files/file_cache.h"
#include "files/file_plan.h"

namespace perigee::script {

class Exchange;

/// A folder that app:static() serves.
struct StaticFolder {
  std::string path;
  std::string lines;  ///< header lines of its own: Cache-Control
  bool precompressed = false;
};

/// Fills an exchange's answer by a plan: status, lines, type and body. `type` is the file's Content-Type; of "" its
/// name's. Nothing but status and lines for statuses over 400.
void fill_with_plan(Exchange& exchange, const files::FilePlan& plan, std::string_view type);

/// Answers with the file at `path` below the folder. False, with nothing filled, when there is none that is public or
/// the request's conditions or ranges fail.
[[nodiscard]] bool answer_static(Exchange& exchange, const StaticFolder& folder, std::string_view path,
                                 files::FileCache& cache);

}  // namespace perigee::script
