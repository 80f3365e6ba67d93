#include "server/dashboard_desk.h"

#include <unistd.h>

#include <algorithm>
#include <map>
#include <utility>

#include "base/clock.h"
#include "base/ticks.h"
#include "script/collector_watch.h"
#include "server/process_figures.h"
#include "server/state_metrics.h"

namespace perigee::server {
namespace {

using profiler::ErrorDesk;
using profiler::ErrorKind;
using profiler::HistogramSum;
using profiler::kWaitOperations;
using profiler::SlowRequest;
using profiler::WaitOperation;

double seconds_of(Ticks ticks) {
  return static_cast<double>(ticks) * seconds_per_tick();
}

// The first `most` of `all` in the order of `before`.
template <typename Item, typename Before>
void keep_first(std::vector<Item>& all, std::size_t most, const Before& before) {
  const auto end = all.begin() + static_cast<std::ptrdiff_t>(std::min(all.size(), most));
  std::partial_sort(all.begin(), end, all.end(), before);
  all.erase(end, all.end());
}

void write_latencies(JsonWriter& json, const RouteBoard::Latencies& latencies) {
  json.member("p50", latencies.p50).member("p90", latencies.p90).member("p99", latencies.p99);
}

void write_strings(JsonWriter& json, const std::vector<std::string>& strings) {
  json.begin_array();
  for (const std::string& text : strings) {
    json.value(text);
  }
  json.end_array();
}

void write_error(JsonWriter& json, const ErrorKind& kind) {
  json.begin_object().member("signature", kind.signature).member("message", kind.message);
  json.member("count", kind.count).member("first", kind.first_seen).member("last", kind.last_seen);
  json.member("sample", kind.sample);
  json.member("traceback", std::string_view(kind.traceback).substr(0, DashboardDesk::kMostTraceback));
  for (const auto& [name, places] : {std::pair("routes", &kind.routes), std::pair("hosts", &kind.hosts)}) {
    json.key(name).begin_array();
    for (const ErrorKind::Place& place : *places) {
      json.value(place.name);
    }
    json.end_array();
  }
  json.end_object();
}

void write_slow_request(JsonWriter& json, const SlowRequest& slow, std::size_t worker) {
  json.begin_object().member("time", slow.time).member("seconds", seconds_of(slow.latency));
  json.member("line", slow.line).member("route", slow.route).member("status", slow.status);
  json.member("id", slow.id).member("worker", worker + 1).key("waits").begin_object();
  for (std::size_t i = 0; i < kWaitOperations; ++i) {
    if (slow.waits[i] > 0) {
      json.member(name_of(static_cast<WaitOperation>(i)), seconds_of(slow.waits[i]));
    }
  }
  json.end_object().end_object();
}

}  // namespace

void DashboardDesk::request(Done done) {
  survey_.request([this, done = std::move(done)](const Seen& seen) { done(lines(seen)); });
}

std::string DashboardDesk::lines(const Seen& seen) {
  const double now = static_cast<double>(monotonic_ns()) * 1e-9;
  const RouteBoard::Board board = board_.look(*sources_.workers, *sources_.routes, now);
  JsonWriter json;
  const auto line = [&json](const char* name, const auto& write) {
    json.text().append(json.text().empty() ? "" : "\n").append(name).append("\n");
    write();
  };
  line("point", [&] { write_point(json, seen, board, now); });
  line("server", [&] { write_server(json); });
  line("workers", [&] { write_workers(json, seen); });
  line("routes", [&] { write_routes(json, board); });
  line("waits", [&] { write_waits(json); });
  line("state", [&] { write_state(json, seen); });
  line("slow", [&] { write_slow(json, seen); });
  line("errors", [&] { write_errors(json); });
  line("reloads", [&] { write_reloads(json); });
  return std::move(json.text());
}

void DashboardDesk::write_server(JsonWriter& json) const {
  const ProcessFigures process = process_figures();
  json.begin_object().member("version", PERIGEE_VERSION).member("app", sources_.app).member("pid", getpid());
  json.member("started", static_cast<std::int64_t>(process.start_time));
  json.member("most_descriptors", process.most_descriptors).key("addresses");
  write_strings(json, *sources_.addresses);
  json.end_object();
}

// What is shown over time.
void DashboardDesk::write_point(JsonWriter& json, const Seen& seen, const RouteBoard::Board& board, double now) const {
  std::uint64_t open = 0;
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  std::uint64_t heap = 0;
  for (std::size_t i = 0; i < seen.size(); ++i) {
    const Worker& worker = *(*sources_.workers)[i];
    open += worker.connections();
    sent += worker.traffic().sent.value();
    received += worker.traffic().received.value();
    heap += seen[i].state.heap_bytes;
  }
  const ProcessFigures process = process_figures();
  json.begin_object().member("t", now).member("time", wall_seconds()).member("requests", board.requests);
  json.member("client_errors", board.client_errors).member("errors", board.errors);
  json.member("latencies", board.latencies.count);
  write_latencies(json, board.latencies);
  json.member("open", open).member("sent", sent).member("received", received).member("heap", heap);
  json.member("cpu", process.cpu_seconds).member("resident", process.resident_bytes);
  json.member("descriptors", process.open_descriptors).end_object();
}

void DashboardDesk::write_workers(JsonWriter& json, const Seen& seen) const {
  json.begin_array();
  for (std::size_t i = 0; i < seen.size(); ++i) {
    Worker& worker = *(*sources_.workers)[i];
    const WorkerState& state = seen[i].state;
    json.begin_object().member("responding", seen[i].answered).member("requests", worker.meter().requests());
    json.member("cpu", worker.cpu_seconds()).member("connections", worker.connections());
    json.member("queued", worker.queued()).member("tasks", state.tasks).member("heap", state.heap_bytes);
    json.member("collecting", script::CollectorWatch::seconds(&worker.vm_meter()))
        .member("collections", worker.vm_meter().collections.load(std::memory_order_relaxed));
    json.member("generations", worker.generations()).end_object();
  }
  json.end_array();
}

void DashboardDesk::write_routes(JsonWriter& json, const RouteBoard::Board& board) {
  json.begin_object().member("routes", board.routes).key("rows").begin_array();
  for (const RouteBoard::Row& row : board.rows) {
    json.begin_object().member("method", row.method).member("pattern", row.pattern).member("requests", row.requests);
    json.member("client_errors", row.client_errors).member("errors", row.errors).member("recent", row.recent);
    write_latencies(json, row.latencies);
    json.end_object();
  }
  json.end_array().end_object();
}

void DashboardDesk::write_waits(JsonWriter& json) const {
  json.begin_array();
  for (std::size_t i = 0; i < kWaitOperations; ++i) {
    const auto operation = static_cast<WaitOperation>(i);
    HistogramSum sum;
    for (const auto& worker : *sources_.workers) {
      worker->meter().waits(operation).add_to(sum);
    }
    if (sum.count() > 0) {
      json.begin_object().member("operation", name_of(operation)).member("count", sum.count());
      json.member("seconds", seconds_of(sum.sum())).end_object();
    }
  }
  json.end_array();
}

void DashboardDesk::write_state(JsonWriter& json, const Seen& seen) const {
  const state::Topics::Size topics = sources_.topics->size();
  std::uint64_t subscribers = 0;
  std::uint64_t lost = 0;
  for (const WorkerSurvey::Seen& one : seen) {
    subscribers += one.state.subscribers;
    lost += one.state.messages_lost;
  }
  json.begin_object().key("sessions").begin_object().member("count", sources_.sessions->count());
  json.member("made", sources_.sessions->made()).member("evicted", sources_.sessions->evicted()).end_object();
  json.key("topics").begin_object().member("count", topics.topics).member("bytes", topics.bytes);
  json.member("published", topics.published).member("subscribers", subscribers).member("lost", lost).end_object();
  json.key("dictionaries").begin_array();
  auto dictionaries = sources_.dictionaries->figures();
  keep_first(dictionaries, kMostHosts, [](const auto& one, const auto& other) { return one.used > other.used; });
  for (const auto& figures : dictionaries) {
    json.begin_object().member("name", figures.name).member("entries", figures.entries).member("used", figures.used);
    json.member("size", figures.size).member("evictions", figures.evictions).end_object();
  }
  json.end_array().key("hosts").begin_array();
  const auto by_name = outbound_hosts(seen);
  std::vector<std::pair<std::string, client::HostStats>> hosts(by_name.begin(), by_name.end());
  keep_first(hosts, kMostHosts,
             [](const auto& one, const auto& other) { return one.second.requests > other.second.requests; });
  for (const auto& [host, stats] : hosts) {
    std::uint64_t errors = 0;
    for (const auto& [word, count] : stats.errors) {
      errors += count;
    }
    json.begin_object().member("host", host).member("requests", stats.requests).member("errors", errors);
    json.member("open", stats.open).member("busy", stats.busy);
    json.member("seconds", static_cast<double>(stats.spent) / 1000).end_object();
  }
  json.end_array().end_object();
}

void DashboardDesk::write_slow(JsonWriter& json, const Seen& seen) {
  std::vector<std::pair<const SlowRequest*, std::size_t>> all;
  for (std::size_t worker = 0; worker < seen.size(); ++worker) {
    for (const SlowRequest& slow : seen[worker].state.slow) {
      all.emplace_back(&slow, worker);
    }
  }
  keep_first(all, kMostSlow,
             [](const auto& one, const auto& other) { return one.first->latency > other.first->latency; });
  json.begin_array();
  for (const auto& [slow, worker] : all) {
    write_slow_request(json, *slow, worker);
  }
  json.end_array();
}

void DashboardDesk::write_errors(JsonWriter& json) const {
  const ErrorDesk::Totals totals = sources_.errors->totals();
  std::vector<ErrorKind> kinds = sources_.errors->kinds();
  keep_first(kinds, kMostErrors,
             [](const ErrorKind& one, const ErrorKind& other) { return one.last_seen > other.last_seen; });
  json.begin_object().member("total", totals.errors).member("kinds", totals.kinds).key("latest").begin_array();
  for (const ErrorKind& kind : kinds) {
    write_error(json, kind);
  }
  json.end_array().end_object();
}

void DashboardDesk::write_reloads(JsonWriter& json) const {
  const ReloadFigures& reloads = *sources_.reloads;
  json.begin_object().member("generation", reloads.generation).key("latest").begin_array();
  for (const ReloadFigures::Reload& reload : reloads.latest) {
    json.begin_object().member("time", reload.time).member("seconds", reload.seconds).member("ok", reload.ok);
    json.member("generation", reload.generation).key("mistakes");
    write_strings(json, reload.mistakes);
    json.end_object();
  }
  json.end_array().end_object();
}

}  // namespace perigee::server
