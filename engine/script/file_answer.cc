#include "script/file_answer.h"

#include <ctime>
#include <utility>

#include "base/clock.h"
#include "script/exchange.h"

namespace perigee::script {
namespace {

using Kind = Answer::Kind;

void fill_with_ranges(Answer& answer, const files::FilePlan& plan, std::string_view type) {
  const std::string boundary = files::new_boundary();
  if (plan.file->in_memory()) {
    answer.text = files::multipart_text(plan, type, boundary);
    answer.body = answer.text;
    answer.kind = Kind::kReady;
  } else {
    answer.file = std::make_unique<files::FileBody>(files::multipart_body(plan, type, boundary));
    answer.kind = Kind::kFile;
  }
  answer.type_text = files::multipart_type(boundary);
  answer.content_type = answer.type_text;
}

void fill_with_content(Answer& answer, const files::FileSet& files) {
  answer.status = 200;
  answer.fields.append(files.plain->lines());
  answer.kind = Kind::kReady;
  answer.content_type = files.type;
  answer.body = files.plain->content();
}

}  // namespace

void fill_with_plan(Exchange& exchange, const files::FilePlan& plan, std::string_view type) {
  Answer& answer = exchange.answer;
  answer.status = plan.status;
  std::string lines;
  files::append_file_lines(lines, plan);
  answer.fields.append(lines);
  if (plan.status >= 400) {
    return;
  }
  answer.kind = Kind::kReady;
  if (plan.status == 304) {
    return;
  }
  if (plan.ranges.count > 1) {
    fill_with_ranges(answer, plan, type);
    return;
  }
  answer.content_type = type;
  const http::ByteRange range = files::single_range(plan);
  if (plan.file->in_memory()) {
    answer.body = plan.file->content().substr(range.first, range.size);
    return;
  }
  answer.file = std::make_unique<files::FileBody>();
  answer.file->file = plan.file;
  answer.file->pieces.push_back({{}, range});
  answer.file->length = range.size;
  answer.kind = Kind::kFile;
}

bool answer_static(Exchange& exchange, const StaticFolder& folder, std::string_view path, files::FileCache& cache) {
  if (!files::is_public_path(path)) {
    return false;
  }
  const auto found = cache.find(folder.path, path, folder.precompressed, monotonic_coarse_ms());
  if (found.files == nullptr) {
    return false;
  }
  if (files::is_whole_and_plain(exchange.head, *found.files)) {
    exchange.answer.fields.append(folder.lines);
    fill_with_content(exchange.answer, *found.files);
    return true;
  }
  const files::FilePlan plan = files::plan_file(exchange.head, *found.files, std::time(nullptr));
  if (plan.status >= 400) {
    return false;
  }
  exchange.answer.fields.append(folder.lines);
  fill_with_plan(exchange, plan, found.files->type);
  return true;
}

}  // namespace perigee::script
