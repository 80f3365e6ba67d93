// The versions of the app on a worker: how they come, and what becomes of those that do not leave.

#include <new>
#include <utility>

#include "base/log.h"
#include "base/marks.h"
#include "server/worker.h"

namespace perigee::server {

void Worker::prepare(std::unique_ptr<script::Vm> vm, std::uint64_t number,
                     std::function<void(const std::string&)> on_ready) {
  auto shared = std::make_shared<std::unique_ptr<script::Vm>>(std::move(vm));
  loop_.post([this, shared, number, on_ready = std::move(on_ready)]() mutable {
    if (draining_) {
      on_ready("the server is stopping");
      return;
    }
    generations_.prepare(std::move(*shared), number, *this, std::move(on_ready));
  });
}

void Worker::activate(std::uint64_t number, std::shared_ptr<const Options> options) {
  loop_.post([this, number, options = std::move(options)] {
    if (next_ != 0) {
      generations_.discard(next_);  // a newer one has overtaken it
    }
    next_ = number;
    next_options_ = options;
    (void)take_up_next();
    housekeep_soon();
  });
}

// Serves from here on by the generation that is to be taken up, if any. False: another attempt may find the memory for
// it.
bool Worker::take_up_next() try {
  Generation* const next = draining_ || next_ == 0 ? nullptr : generations_.find(next_);
  if (next != nullptr) {
    name_routes(*next);
    apply(next_options_);
    generations_.activate(next_, monotonic_ms() + static_cast<Milliseconds>(options_->drain * 1000));
    marks.numbers = next->numbers.data();
  }
  next_ = 0;
  next_options_ = nullptr;
  return true;
} catch (const std::bad_alloc&) {
  log_event(LogLevel::kError, "out of memory: a worker takes up a new version of the app later");
  return false;
}

// A route is counted where it was in the generation before.
void Worker::name_routes(Generation& generation) {
  generation.latencies.clear();
  generation.numbers.clear();
  for (const script::RouteInfo& route : generation.vm->routes()) {
    const std::size_t number = setup_.route_names->number_of(route.method, route.pattern);
    generation.latencies.push_back(&meter_.route(number));
    generation.numbers.push_back(static_cast<std::int32_t>(number));
  }
}

void Worker::discard(std::uint64_t number) {
  loop_.post([this, number] {
    generations_.discard(number);
    housekeep_soon();
  });
}

// A generation's tasks did not end when they were told to: their clients are hung up on, and the VM closes under them.
void Worker::abandon(Generation& generation) {
  log_event(LogLevel::kWarn, "a version of the app that is leaving did not end in time: what it still ran is dropped");
  for (const auto& visit : visits_) {
    if (visit->generation != &generation) {
      continue;
    }
    if (net::Connection* client = visit->client(); client != nullptr) {
      client->context = nullptr;
      visit->connection = nullptr;
      client->close();
    }
    release(*visit);
  }
}

}  // namespace perigee::server
