// What a VM asks of its worker, and the access log's lines.

#include <algorithm>
#include <new>
#include <utility>

#include "base/clock.h"
#include "http/forwarded.h"
#include "http/trace_context.h"
#include "server/request_ids.h"
#include "server/worker.h"

namespace perigee::server {

script::Host::Room Worker::write_stream(script::Exchange& exchange, std::string_view bytes) noexcept try {
  auto& visit = static_cast<Visit&>(exchange);
  net::Connection* client = visit.client();
  if (client == nullptr || !client->open() || visit.stage != Visit::Stage::kStreaming) {
    return Room::kClosed;
  }
  if (client->congested() && (!client->flush() || visit.connection == nullptr)) {
    return Room::kClosed;
  }
  if (client->congested()) {
    return Room::kFull;
  }
  AnswerWriter::write_part(visit, bytes);
  flush_later(*client);
  return Room::kWritten;
} catch (const std::bad_alloc&) {
  return Room::kClosed;
}

void Worker::flush_later(net::Connection& client) {
  if (std::find(unflushed_.begin(), unflushed_.end(), &client) == unflushed_.end()) {
    unflushed_.push_back(&client);
  }
}

std::string Worker::request_id(const script::Exchange& exchange) {
  if (!trusted_.empty() && trusted_.contains(static_cast<const Visit&>(exchange).direct().address)) {
    if (const std::string_view given = http::given_request_id(exchange.head); !given.empty()) {
      return std::string(given);
    }
  }
  return request_id_text(setup_.number, exchange.id);
}

ClientOrigin Worker::origin_of(const script::Exchange& exchange) const {
  const ClientOrigin direct = static_cast<const Visit&>(exchange).direct();
  return trusted_.empty() ? direct : client_origin(exchange.head, direct, trusted_);
}

std::string Worker::remote_address(const script::Exchange& exchange) {
  return origin_of(exchange).address.text();
}

std::string_view Worker::scheme(const script::Exchange& exchange) {
  if (trusted_.empty()) {
    const auto& visit = static_cast<const Visit&>(exchange);
    return (visit.client() != nullptr ? visit.client()->secure() : visit.secure) ? "https" : "http";
  }
  return origin_of(exchange).secure ? "https" : "http";
}

void Worker::watch_session(script::Exchange& exchange) {
  if (!exchange.session.exists()) {
    return;
  }
  auto& visit = static_cast<Visit&>(exchange);
  exchange.session.watch(loop_, [&visit, id = visit.id] {
    if (visit.id == id && visit.stage == Visit::Stage::kStreaming && visit.task != nullptr) {
      visit.task->vm.cancel(*visit.task, script::CancelReason::kSessionEnded);
    }
  });
}

void Worker::outgrown(std::size_t bytes) {
  if (setup_.outgrown) {
    setup_.outgrown(bytes);
  }
}

bool Worker::begin_operation(script::Task& task, std::string_view name) {
  if (!setup_.operation) {
    return false;
  }
  const double serial = task.view.serial;
  setup_.operation(name, [this, &task, serial](std::string result) {
    loop_.post([&task, serial, result = std::move(result)] {
      if (task.view.serial == serial) {
        task.result = result;
        task.vm.make_ready(task);
      }
    });
  });
  return true;
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
