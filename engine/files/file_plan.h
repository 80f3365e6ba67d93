#pragma once

#include <cstdint>
#include <ctime>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "files/file_cache.h"
#include "http/byte_ranges.h"
#include "http/request_head.h"

namespace perigee::files {

/// A body that is sent from a file's descriptor: pieces of it, each with a text ahead, and a text at the end.
struct FileBody {
  struct Piece {
    std::string ahead;
    http::ByteRange range;
  };

  std::shared_ptr<const ServedFile> file;
  std::vector<Piece> pieces;
  std::string tail;
  std::uint64_t length = 0;  ///< bytes of all
};

/// How a file answers a request: what conditions, ranges and codings come to.
struct FilePlan {
  int status = 200;  ///< 200, 206, 304, 412 or 416
  std::shared_ptr<const ServedFile> file;
  std::string_view coding;  ///< "br", "gzip", or "" for the plain one
  bool varies = false;      ///< another Accept-Encoding may get another coding
  http::ByteRanges ranges;  ///< of 206
};

/// Plans the answer to `head` (RFC 9110 sections 12.5.3, 13.2.2 and 14.2).
[[nodiscard]] FilePlan plan_file(const http::RequestHead& head, const FileSet& files, std::time_t now);

/// Whether there is nothing to plan, as with most requests: no condition, no range and no coding, and the content is in
/// memory. The answer is then 200 with the plain file's lines and content.
[[nodiscard]] bool is_whole_and_plain(const http::RequestHead& head, const FileSet& files);

/// The file as it is, whatever the request asks: for answers with a status of their own.
[[nodiscard]] FilePlan plan_whole(const FileSet& files);

/// Appends the header lines of an answer: validators, Content-Encoding, Vary, Content-Range; not Content-Type.
void append_file_lines(std::string& lines, const FilePlan& plan);

/// The body of a plan of status 200 or 206 with a single range.
[[nodiscard]] http::ByteRange single_range(const FilePlan& plan);

/// The content type of an answer of several ranges.
[[nodiscard]] std::string multipart_type(std::string_view boundary);

/// The body of an answer of several ranges, to be sent from the file (RFC 9110 section 14.6). `type` is the file's.
[[nodiscard]] FileBody multipart_body(const FilePlan& plan, std::string_view type, std::string_view boundary);

/// The same as one text. REQUIRES: the file is in memory.
[[nodiscard]] std::string multipart_text(const FilePlan& plan, std::string_view type, std::string_view boundary);

/// A boundary that no file holds but by chance of 2^-128.
[[nodiscard]] std::string new_boundary();

}  // namespace perigee::files
