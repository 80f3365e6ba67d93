#include "files/file_plan.h"

#include <sys/random.h>

#include <array>
#include <cstdio>

#include "http/content_coding.h"
#include "http/preconditions.h"

namespace perigee::files {
namespace {

using Field = http::KnownField;

// The field may come in several lines, which are one list.
std::string joined(const http::RequestHead& head, Field slot, std::string_view name) {
  std::string all;
  for (std::uint16_t i = head.known[static_cast<std::size_t>(slot)]; i != http::RequestHead::kAbsent;
       i = head.find(name, static_cast<std::uint16_t>(i + 1))) {
    all.append(all.empty() ? "" : ",").append(head.text(head.fields[i].value));
  }
  return all;
}

void choose_coding(FilePlan& plan, const http::RequestHead& head, const FileSet& files) {
  plan.file = files.plain;
  plan.varies = files.brotli != nullptr || files.gzip != nullptr;
  if (!plan.varies || !head.field_seen(Field::kAcceptEncoding)) {
    return;
  }
  const http::CodingWishes wishes =
      http::parse_accept_encoding(joined(head, Field::kAcceptEncoding, "accept-encoding"));
  const std::int32_t brotli = files.brotli != nullptr ? wishes.brotli : 0;
  const std::int32_t gzip = files.gzip != nullptr ? wishes.gzip : 0;
  if (brotli != 0 && brotli >= gzip && brotli >= wishes.identity) {
    plan.file = files.brotli;
    plan.coding = "br";
  } else if (gzip != 0 && gzip >= wishes.identity) {
    plan.file = files.gzip;
    plan.coding = "gzip";
  }
}

void append_content_range(std::string& lines, const http::ByteRange& range, std::uint64_t size) {
  lines.append("Content-Range: bytes ")
      .append(std::to_string(range.first))
      .append("-")
      .append(std::to_string(range.first + range.size - 1))
      .append("/")
      .append(std::to_string(size))
      .append("\r\n");
}

std::string part_head(const FilePlan& plan, const http::ByteRange& range, std::string_view type,
                      std::string_view boundary, bool first) {
  std::string head(first ? "--" : "\r\n--");
  head.append(boundary).append("\r\nContent-Type: ").append(type).append("\r\n");
  append_content_range(head, range, plan.file->size());
  return head.append("\r\n");
}

}  // namespace

FilePlan plan_file(const http::RequestHead& head, const FileSet& files, std::time_t now) {
  FilePlan plan;
  choose_coding(plan, head, files);
  const http::Validators current{plan.file->etag(), plan.file->modified()};
  switch (http::evaluate_preconditions(head, current, now)) {
    case http::Precondition::kHolds:
      break;
    case http::Precondition::kNotModified:
      plan.status = 304;
      return plan;
    case http::Precondition::kFails:
      plan.status = 412;
      return plan;
  }
  if (http::range_applies(head, current, now)) {
    plan.ranges = http::parse_byte_ranges(head.field(Field::kRange), plan.file->size());
    switch (plan.ranges.verdict) {
      case http::ByteRanges::Verdict::kIgnored:
        break;
      case http::ByteRanges::Verdict::kSatisfiable:
        plan.status = 206;
        break;
      case http::ByteRanges::Verdict::kUnsatisfiable:
        plan.status = 416;
        break;
    }
  }
  return plan;
}

bool is_whole_and_plain(const http::RequestHead& head, const FileSet& files) {
  const bool asks_more = head.field_seen(Field::kIfNoneMatch) || head.field_seen(Field::kIfModifiedSince) ||
                         head.field_seen(Field::kRange) || head.field_seen(Field::kIfMatch) ||
                         head.field_seen(Field::kIfUnmodifiedSince);
  return !asks_more && files.brotli == nullptr && files.gzip == nullptr && files.plain->in_memory();
}

FilePlan plan_whole(const FileSet& files) {
  FilePlan plan;
  plan.file = files.plain;
  return plan;
}

void append_file_lines(std::string& lines, const FilePlan& plan) {
  if (plan.status == 416) {
    lines.append("Content-Range: bytes */").append(std::to_string(plan.file->size())).append("\r\n");
    return;
  }
  if (plan.status == 412) {
    return;
  }
  lines.append(plan.file->lines());
  if (plan.varies) {
    lines.append("Vary: Accept-Encoding\r\n");
  }
  if (plan.status == 304) {
    return;
  }
  if (!plan.coding.empty()) {
    lines.append("Content-Encoding: ").append(plan.coding).append("\r\n");
  }
  if (plan.status == 206 && plan.ranges.count == 1) {
    append_content_range(lines, plan.ranges.ranges[0], plan.file->size());
  }
}

http::ByteRange single_range(const FilePlan& plan) {
  return plan.status == 206 ? plan.ranges.ranges[0] : http::ByteRange{0, plan.file->size()};
}

std::string multipart_type(std::string_view boundary) {
  return "multipart/byteranges; boundary=" + std::string(boundary);
}

FileBody multipart_body(const FilePlan& plan, std::string_view type, std::string_view boundary) {
  FileBody body;
  body.file = plan.file;
  for (const http::ByteRange& range : plan.ranges) {
    body.pieces.push_back({part_head(plan, range, type, boundary, body.pieces.empty()), range});
    body.length += body.pieces.back().ahead.size() + range.size;
  }
  body.tail.append("\r\n--").append(boundary).append("--\r\n");
  body.length += body.tail.size();
  return body;
}

std::string multipart_text(const FilePlan& plan, std::string_view type, std::string_view boundary) {
  const FileBody body = multipart_body(plan, type, boundary);
  std::string text;
  text.reserve(body.length);
  for (const FileBody::Piece& piece : body.pieces) {
    text.append(piece.ahead).append(plan.file->content().substr(piece.range.first, piece.range.size));
  }
  return text.append(body.tail);
}

std::string new_boundary() {
  std::array<unsigned char, 16> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    return "perigee-byteranges-6a09e667f3bcc908";  // the kernel has no numbers yet: only a name that is unlikely
  }
  std::string text = "perigee-";
  for (const unsigned char byte : bytes) {
    char digits[3];
    std::snprintf(digits, sizeof digits, "%02x", byte);
    text.append(digits);
  }
  return text;
}

}  // namespace perigee::files
