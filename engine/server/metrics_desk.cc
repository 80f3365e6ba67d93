#include "server/metrics_desk.h"

#include <utility>

namespace perigee::server {

using profiler::Exposition;

MetricsDesk::MetricsDesk(net::EventLoop& loop, const std::vector<std::unique_ptr<Worker>>& workers)
    : loop_(loop), workers_(workers), patience_(*this) {}

void MetricsDesk::request(Done done) {
  waiting_.push_back(std::move(done));
  if (waiting_.size() > 1) {
    return;
  }
  ++round_;
  seen_.resize(workers_.size());
  missing_ = workers_.size();
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    seen_[i].answered = false;
    workers_[i]->look([this, i, round = round_](const WorkerState& state) {
      loop_.post([this, i, round, state] { take(i, round, state); });
    });
  }
  loop_.timers().add(patience_, monotonic_ms() + kPatience);
}

void MetricsDesk::take(std::size_t worker, std::uint64_t round, const WorkerState& state) {
  seen_[worker].state = state;
  if (round != round_ || seen_[worker].answered) {
    return;  // the answer to an earlier page
  }
  seen_[worker].answered = true;
  if (--missing_ == 0) {
    finish();
  }
}

void MetricsDesk::finish() {
  patience_.cancel();
  Exposition page;
  write_workers(page);
  for (const Source& source : sources_) {
    source(page);
  }
  ++round_;  // what comes from here on is late
  for (const Done& done : std::exchange(waiting_, {})) {
    done(page.text());
  }
}

void MetricsDesk::write_workers(Exposition& page) {
  // One metric with a sample of each worker.
  const auto each = [&](auto value) {
    for (std::size_t i = 0; i < workers_.size(); ++i) {
      page.sample({{"worker", std::to_string(i)}}, value(*workers_[i], seen_[i]));
    }
  };
  using Number = std::uint64_t;
  page.gauge("perigee_worker_responding", "Whether the worker answered within 100 ms when this page was made.");
  each([](Worker&, const Seen& seen) { return Number{seen.answered}; });
  page.counter("perigee_worker_requests_total", "Requests that the worker answered.");
  each([](Worker& worker, const Seen&) { return worker.meter().requests(); });
  page.counter("perigee_worker_cpu_seconds_total", "Time the worker's thread was on a processor.");
  each([](Worker& worker, const Seen&) { return worker.cpu_seconds(); });
  page.gauge("perigee_worker_connections", "Open connections.");
  each([](Worker& worker, const Seen&) { return Number{worker.connections()}; });
  page.gauge("perigee_worker_posts_queued", "Work from other threads that the worker has not come to.");
  each([](Worker& worker, const Seen&) { return Number{worker.queued()}; });
  page.gauge("perigee_worker_tasks", "Coroutines of handlers, hooks and spawned tasks that run or wait.");
  each([](Worker&, const Seen& seen) { return seen.state.tasks; });
  page.gauge("perigee_worker_generations", "Versions of the app that live on the worker.");
  each([](Worker& worker, const Seen&) { return Number{worker.generations()}; });
  page.gauge("perigee_lua_heap_bytes", "What the worker's Lua heaps hold, garbage that was not collected included.");
  each([](Worker&, const Seen& seen) { return seen.state.heap_bytes; });
  page.counter("perigee_lua_collections_total", "Rounds of the garbage collector.");
  each([](Worker& worker, const Seen&) { return worker.vm_meter().collections.load(std::memory_order_relaxed); });
}

}  // namespace perigee::server
