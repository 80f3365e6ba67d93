#include "server/access_log.h"

#include <algorithm>
#include <charconv>
#include <new>
#include <utility>

#include "base/escape.h"
#include "server/time_text.h"

namespace perigee::server {
namespace {

constexpr std::size_t kLineRoom = 4096;  // for the line that fills a buffer

template <typename Number>
void append_number(std::string& out, Number number) {
  char text[24];
  out.append(text, std::to_chars(std::begin(text), std::end(text), number).ptr);
}

// A field without quotes: what would end it is escaped, and what is missing is "-".
void append_word(std::string& out, std::string_view text) {
  if (text.empty()) {
    out += '-';
    return;
  }
  while (true) {
    const std::size_t space = std::min(text.find(' '), text.size());
    append_log_escaped(out, text.substr(0, space), true);
    if (space == text.size()) {
      return;
    }
    out += "\\x20";
    text.remove_prefix(space + 1);
  }
}

// What stands between two quotes.
void append_quotable(std::string& out, std::string_view text) {
  if (text.empty()) {
    out += '-';
  }
  append_log_escaped(out, text, true);
}

void append_member(std::string& out, std::string_view name, std::string_view text) {
  out += name;
  append_json_string(out, text);
}

void append_milliseconds(std::string& out, std::int64_t duration_us) {
  append_number(out, duration_us / 1000);
  const std::int64_t rest = duration_us % 1000;
  out += '.';
  out += static_cast<char>('0' + rest / 100);
  out += static_cast<char>('0' + rest / 10 % 10);
  out += static_cast<char>('0' + rest % 10);
}

}  // namespace

AccessLog::AccessLog(LogWriter& writer, AccessFormat format, std::vector<std::string> skip)
    : writer_(&writer), format_(format), skip_(std::move(skip)) {
  std::sort(skip_.begin(), skip_.end());
}

bool AccessLog::skips(std::string_view path) const {
  return std::binary_search(skip_.begin(), skip_.end(), path, std::less<>());
}

void AccessLog::write(const AccessRecord& record) noexcept {
  if (skips(record.path)) {
    return;
  }
  const std::size_t before = buffer_.size();
  try {
    buffer_.reserve(kBufferBytes + kLineRoom);  // which a buffer back from the writer has already
    keep_second(record.time_ms);
    format_ == AccessFormat::kCombined ? append_combined(record) : append_json(record);
  } catch (const std::bad_alloc&) {
    buffer_.resize(before);
    writer_->count_dropped(1);
  }
  if (buffer_.size() >= kBufferBytes) {
    flush();
  }
}

void AccessLog::keep_second(std::int64_t time_ms) {
  if (const std::int64_t second = time_ms / 1000; second != second_) {
    second_text_ = format_ == AccessFormat::kCombined ? apache_second_text(second) : utc_second_text(second);
    second_ = second;
  }
}

void AccessLog::append_combined(const AccessRecord& record) {
  append_word(buffer_, record.remote);
  append_word(buffer_ += " - ", record.user);
  (buffer_ += " [") += second_text_;
  append_quotable(buffer_ += "] \"", record.method);
  if (!record.method.empty()) {
    append_log_escaped(buffer_ += ' ', record.target, true);
    append_log_escaped(buffer_ += ' ', record.version, true);
  }
  append_number(buffer_ += "\" ", record.status);
  if (record.bytes == 0) {
    buffer_ += " -";
  } else {
    append_number(buffer_ += ' ', record.bytes);
  }
  append_quotable(buffer_ += " \"", record.referer);
  append_quotable(buffer_ += "\" \"", record.agent);
  buffer_ += "\"\n";
}

void AccessLog::append_json(const AccessRecord& record) {
  (buffer_ += "{\"time\":\"") += second_text_;
  append_millisecond(buffer_, record.time_ms);
  append_member(buffer_, "\",\"id\":", record.id);
  append_member(buffer_, ",\"remote\":", record.remote);
  append_member(buffer_, ",\"user\":", record.user);
  append_member(buffer_, ",\"method\":", record.method);
  append_member(buffer_, ",\"target\":", record.target);
  append_member(buffer_, ",\"version\":", record.version);
  append_number(buffer_ += ",\"status\":", record.status);
  append_number(buffer_ += ",\"bytes\":", record.bytes);
  append_milliseconds(buffer_ += ",\"duration_ms\":", std::max<std::int64_t>(record.duration_us, 0));
  append_member(buffer_, ",\"referer\":", record.referer);
  append_member(buffer_, ",\"agent\":", record.agent);
  append_member(buffer_, ",\"route\":", record.route);
  if (!record.trace_id.empty()) {
    append_member(buffer_, ",\"trace_id\":", record.trace_id);
  }
  buffer_ += "}\n";
}

}  // namespace perigee::server
