#include "files/upload_form.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/log.h"

namespace perigee::files {

std::string upload_folder(const std::string& configured) {
  if (!configured.empty()) {
    return configured;
  }
  const char* folder = std::getenv("TMPDIR");
  return folder != nullptr && *folder != '\0' ? folder : "/tmp";
}

UploadForm::UploadForm(std::string_view content_type, UploadSettings settings) : settings_(std::move(settings)) {
  const auto boundary = http::MultipartParser::boundary_of(content_type);
  if (!boundary) {
    (void)fail_with(400, boundary.error().message);
    return;
  }
  parser_ = std::make_unique<http::MultipartParser>(*boundary, settings_.parts, *this);
}

bool UploadForm::feed(std::string_view bytes) {
  return status_ == 0 && judge(parser_->feed(bytes));
}

bool UploadForm::finish() {
  return status_ == 0 && judge(parser_->finish());
}

bool UploadForm::judge(http::MultipartParser::State state) {
  switch (state) {
    case http::MultipartParser::State::kReading:
    case http::MultipartParser::State::kDone:
      return true;
    case http::MultipartParser::State::kTooMany:
      return fail_with(400, "more fields than this server takes (limits.form_fields)");
    case http::MultipartParser::State::kRefused:
      return fail_with(400, parser_->reason());
    case http::MultipartParser::State::kStopped:
      break;
  }
  return false;  // whoever stopped it has said why
}

bool UploadForm::begin_part(http::MultipartPart part) {
  parts_.push_back({std::move(part), UploadSpool(settings_.folder, settings_.memory), 0, false});
  return true;
}

bool UploadForm::part_bytes(std::string_view bytes) {
  UploadSpool& content = parts_.back().content;
  if (content.would_begin_file(bytes.size()) && files_++ == settings_.files) {
    return fail_with(413, "more large files than this server takes at once (limits.form_files)");
  }
  const int error = content.append(bytes);
  return error == 0 || fail_by_disk(error);
}

// A file field that nothing was chosen for comes with an empty name and no bytes.
bool UploadForm::end_part() {
  const Part& part = parts_.back();
  if (part.is_file() && part.head.filename->empty() && part.content.size() == 0) {
    parts_.pop_back();
  }
  return true;
}

bool UploadForm::fail_with(int status, std::string detail) {
  status_ = status;
  detail_ = std::move(detail);
  parts_.clear();
  return false;
}

bool UploadForm::fail_by_disk(int error) {
  log_event(LogLevel::kError, "an upload can't be kept in " + settings_.folder + ": " + std::strerror(error));
  if (error == ENOSPC || error == EDQUOT || error == EFBIG) {
    return fail_with(507, "the server has no room for the upload");
  }
  return fail_with(500, "the server can't keep the upload");
}

}  // namespace perigee::files
