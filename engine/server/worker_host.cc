// What a VM asks of its worker.

#include <utility>

#include "http/forwarded.h"
#include "server/request_ids.h"
#include "server/worker.h"

namespace perigee::server {

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

}  // namespace perigee::server
