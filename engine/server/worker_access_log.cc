// The access log's lines.

#include "base/clock.h"
#include "http/trace_context.h"
#include "server/worker.h"

namespace perigee::server {

void Worker::open_access_log() {
  access_flush_.cancel();
  access_log_.reset();
  LogWriter* writer = setup_.access_targets != nullptr ? setup_.access_targets->find(options_->access) : nullptr;
  if (writer != nullptr) {
    const AccessFormat format = options_->access_format == "json" ? AccessFormat::kJson : AccessFormat::kCombined;
    access_log_ = std::make_unique<AccessLog>(*writer, format, options_->access_skip);
  }
}

void Worker::log_access(const Visit& visit) {
  const http::RequestHead& head = visit.head;
  const std::string id = access_log_->shows_id() ? request_id(visit) : std::string();
  const std::string remote = remote_address(visit);
  AccessRecord record;
  record.time_ms = static_cast<std::int64_t>(wall_seconds() * 1000);
  // A request that began before a reload turned the log on has no start: it is said to have taken no time.
  record.duration_us = visit.started_ns != 0 ? (monotonic_ns() - visit.started_ns) / 1000 : 0;
  record.id = id;
  record.remote = remote;
  record.method = visit.view.method_text.view();
  record.target = visit.view.target.view();
  record.version = head.minor_version == 1 ? "HTTP/1.1" : "HTTP/1.0";
  record.path = visit.view.path.view();
  record.referer = head.field(http::KnownField::kReferer);
  record.agent = head.field(http::KnownField::kUserAgent);
  if (visit.generation == nullptr) {
    record.route = visit.route;
  } else if (visit.match.outcome == http::Router::Outcome::kFound && visit.match.route >= 0) {
    record.route = visit.generation->vm->routes()[static_cast<std::size_t>(visit.match.route)].pattern;
  }
  if (const auto trace = http::trace_context(head)) {
    record.trace_id = trace->trace_id;
  }
  record.status = visit.answer.status;
  record.bytes = visit.bytes_sent;
  access_log_->write(record);
  if (!access_flush_.pending()) {
    loop_.timers().add(access_flush_, now_ + AccessLog::kFlushMs);
  }
}

}  // namespace perigee::server
