#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "files/upload_spool.h"
#include "http/multipart.h"

namespace perigee::files {

/// What a form may take, and where its large parts go.
struct UploadSettings {
  std::string folder = "/tmp";
  std::size_t memory = 64 * 1024;  ///< bytes of a part that stay in memory
  std::size_t parts = 1000;
  std::size_t files = 100;  ///< parts on disk at once
};

/// The folder that `configured` means: itself, or $TMPDIR, or /tmp.
[[nodiscard]] std::string upload_folder(const std::string& configured);

/// A multipart/form-data body as it comes in: its parts, large ones on disk. What is on disk is gone when this is.
class UploadForm final : public http::MultipartSink {
 public:
  struct Part {
    http::MultipartPart head;
    UploadSpool content;
    std::uint64_t position = 0;  ///< up to where it was read
    bool moved = false;
    [[nodiscard]] bool is_file() const { return head.filename.has_value(); }
  };

  /// A form of a Content-Type without a boundary has failed already.
  UploadForm(std::string_view content_type, UploadSettings settings);
  ~UploadForm() override = default;
  UploadForm(const UploadForm&) = delete;
  UploadForm& operator=(const UploadForm&) = delete;

  /// Takes the next bytes of the body. False: the form has failed.
  [[nodiscard]] bool feed(std::string_view bytes);
  /// The body is over. False: the form has failed.
  [[nodiscard]] bool finish();

  /// What a request with this form is answered; 0 unless it has failed.
  [[nodiscard]] int status() const { return status_; }
  /// Why, for the client.
  [[nodiscard]] const std::string& detail() const { return detail_; }

  /// In their order. A file field that was left empty is none.
  [[nodiscard]] std::deque<Part>& parts() { return parts_; }

 private:
  [[nodiscard]] bool begin_part(http::MultipartPart part) override;
  [[nodiscard]] bool part_bytes(std::string_view bytes) override;
  [[nodiscard]] bool end_part() override;
  [[nodiscard]] bool judge(http::MultipartParser::State state);
  [[nodiscard]] bool fail_with(int status, std::string detail);
  [[nodiscard]] bool fail_by_disk(int error);

  UploadSettings settings_;
  std::unique_ptr<http::MultipartParser> parser_;
  std::deque<Part> parts_;
  std::size_t files_ = 0;  // on disk
  int status_ = 0;
  std::string detail_;
};

}  // namespace perigee::files
