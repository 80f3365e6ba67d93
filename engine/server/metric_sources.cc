#include "server/metric_sources.h"

#include <optional>
#include <string>
#include <utility>

#include "http/method.h"
#include "profiler/wait_sites.h"

namespace perigee::server {
namespace {

using profiler::ConnectionRefusal;
using profiler::Exposition;
using profiler::HistogramSum;
using profiler::name_of;
using profiler::RefusalReason;
using profiler::RequestMeter;
using profiler::RouteNames;
using Workers = std::vector<std::unique_ptr<Worker>>;

// What `value` says of each worker, added up.
template <typename Value>
std::uint64_t total(const Workers& workers, const Value& value) {
  std::uint64_t sum = 0;
  for (const auto& worker : workers) {
    sum += value(*worker);
  }
  return sum;
}

std::string_view method_word(std::size_t method) {
  const std::string_view name = http::method_name(static_cast<http::Method>(method));
  return name.empty() ? "other" : name;
}

void write_answers(Exposition& page, const Workers& workers) {
  page.counter("perigee_http_requests_total", "Requests answered, by method and status.");
  for (std::size_t method = 0; method < RequestMeter::kMethods; ++method) {
    for (std::size_t status = 0; status < RequestMeter::kStatuses; ++status) {
      const auto count = total(workers, [&](const Worker& w) { return w.meter().requests(method, status); });
      if (count > 0) {
        page.sample({{"method", method_word(method)}, {"status", std::to_string(status)}}, count);
      }
    }
  }
}

// Of all workers; nothing where none has counted any.
std::optional<HistogramSum> latencies(const Workers& workers, std::size_t route, std::size_t digit) {
  std::optional<HistogramSum> sum;
  for (const auto& worker : workers) {
    const profiler::RouteLatencies* known = worker->meter().find(route);
    const profiler::Histogram* histogram = known != nullptr ? known->find(digit) : nullptr;
    if (histogram != nullptr) {
      histogram->add_to(sum ? *sum : sum.emplace());
    }
  }
  return sum;
}

void write_latencies(Exposition& page, const Workers& workers, const RouteNames& names) {
  page.histogram("perigee_http_request_duration_seconds",
                 "From a request's whole head to its answer's head, waits included, by route and class of status.");
  const std::vector<RouteNames::Name> routes = names.all();
  for (std::size_t route = 0; route < routes.size(); ++route) {
    for (std::size_t digit = 0; digit < profiler::RouteLatencies::kClasses; ++digit) {
      if (const auto sum = latencies(workers, route, digit)) {
        const std::string status = std::to_string(digit) + "xx";
        page.latencies({{"method", routes[route].method}, {"route", routes[route].pattern}, {"status", status}}, *sum);
      }
    }
  }
}

void write_waits(Exposition& page, const Workers& workers) {
  page.histogram("perigee_http_wait_duration_seconds",
                 "Each wait of a request's handler, stream or hook, by what it was for.");
  for (std::size_t i = 0; i < profiler::kWaitOperations; ++i) {
    const auto operation = static_cast<profiler::WaitOperation>(i);
    HistogramSum waits;
    for (const auto& worker : workers) {
      worker->meter().waits(operation).add_to(waits);
    }
    if (waits.count() > 0) {
      page.latencies({{"operation", name_of(operation)}}, waits);
    }
  }
}

void write_stages(Exposition& page, const Workers& workers) {
  page.histogram("perigee_http_stage_duration_seconds",
                 "How long a request is in each stage, of one request in 64; lua: until it is answered or waits.");
  for (const Stage stage : {Stage::kScan, Stage::kRoute, Stage::kLua, Stage::kSerialize, Stage::kWrite}) {
    HistogramSum sum;
    for (const auto& worker : workers) {
      worker->meter().stage(stage).add_to(sum);
    }
    page.latencies({{"stage", name_of(stage)}}, sum);
  }
  write_waits(page, workers);
}

template <typename Reason>
void write_refusals(Exposition& page, const Workers& workers) {
  for (std::size_t i = 0; i < static_cast<std::size_t>(Reason::kCount); ++i) {
    const auto reason = static_cast<Reason>(i);
    page.sample({{"reason", name_of(reason)}},
                total(workers, [reason](const Worker& w) { return w.meter().refused(reason); }));
  }
}

void write_connections(Exposition& page, const Workers& workers) {
  page.counter("perigee_connections_accepted_total", "Connections taken.",
               total(workers, [](const Worker& w) { return w.meter().accepted(); }));
  page.gauge("perigee_connections_open", "Connections open now.",
             total(workers, [](const Worker& w) { return w.connections(); }));
  page.counter("perigee_connections_refused_total", "Connections turned away, by reason.");
  write_refusals<ConnectionRefusal>(page, workers);
  page.counter("perigee_network_received_bytes_total", "Bytes read from clients' sockets.",
               total(workers, [](const Worker& w) { return w.traffic().received.value(); }));
  page.counter("perigee_network_sent_bytes_total", "Bytes written to clients' sockets.",
               total(workers, [](const Worker& w) { return w.traffic().sent.value(); }));
}

}  // namespace

void write_requests(Exposition& page, const Workers& workers, const RouteNames& names) {
  write_answers(page, workers);
  write_latencies(page, workers, names);
  page.counter("perigee_http_requests_abandoned_total", "Requests whose clients left before the answer.",
               total(workers, [](const Worker& w) { return w.meter().abandoned(); }));
  page.counter("perigee_http_refused_total", "Requests answered without their handler or in its place, by reason.");
  write_refusals<RefusalReason>(page, workers);
  write_stages(page, workers);
  write_connections(page, workers);
}

void write_wait_sites(Exposition& page, const Workers& workers) {
  const std::vector<profiler::WaitSite> sites = profiler::wait_sites();
  const auto each = [&](auto value, auto use) {
    for (std::uint32_t number = 0; number < sites.size(); ++number) {
      const auto sum = total(workers, [&](Worker& worker) { return value(worker.vm_meter().waits.of(number)); });
      if (sum > 0) {
        page.sample({{"operation", sites[number].operation}, {"peer", sites[number].peer}}, use(sum));
      }
    }
  };
  using Total = profiler::WaitTotals::Total;
  page.counter("perigee_waits_total", "Waits of handlers and other tasks that have ended, by what was waited for.");
  each([](const Total& total) { return total.waits.load(std::memory_order_relaxed); },
       [](std::uint64_t sum) { return sum; });
  page.counter("perigee_wait_seconds_total", "How long they lasted, the wait for the worker's turn included.");
  each([](const Total& total) { return static_cast<std::uint64_t>(total.nanoseconds.load(std::memory_order_relaxed)); },
       [](std::uint64_t sum) { return static_cast<double>(sum) * 1e-9; });
}

void write_logs(Exposition& page, const ErrorLog& errors, AccessTargets& accesses) {
  page.counter("perigee_log_events_total", "Events of the error log, by level.");
  for (const LogLevel level : kLogLevels) {
    page.sample({{"level", level_name(level)}}, errors.events(level));
  }
  page.counter("perigee_log_lines_dropped_total", "Lines lost: the access log's queue was full, or writing failed.");
  const AccessTargets::Lost lost = accesses.lost();
  page.sample({{"log", "access"}, {"reason", "queue_full"}}, lost.dropped);
  page.sample({{"log", "access"}, {"reason", "write_failed"}}, lost.failed);
  page.sample({{"log", "error"}, {"reason", "write_failed"}}, errors.failed_lines());
}

void ReloadFigures::note(Reload reload) {
  ++(reload.ok ? succeeded : failed);
  last = reload.time;
  last_ok = reload.ok;
  generation = reload.ok ? reload.generation : generation;
  if (reload.mistakes.size() > kMostMistakes) {
    reload.mistakes.resize(kMostMistakes);
  }
  latest.push_front(std::move(reload));
  if (latest.size() > kMostKept) {
    latest.pop_back();
  }
}

void write_reloads(Exposition& page, const ReloadFigures& reloads) {
  page.gauge("perigee_generation", "The version of the app that serves, counted from the start.", reloads.generation);
  page.counter("perigee_reloads_total", "Reloads asked for since the start, by what they came to.");
  page.sample({{"result", "ok"}}, reloads.succeeded);
  page.sample({{"result", "failed"}}, reloads.failed);
  page.gauge("perigee_last_reload_successful", "Whether the last reload, or the start, succeeded.",
             std::uint64_t{reloads.last_ok});
  page.gauge("perigee_last_reload_timestamp_seconds", "When the last reload ended; 0 before the first.", reloads.last);
}

}  // namespace perigee::server
