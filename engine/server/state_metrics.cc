#include "server/state_metrics.h"

#include "script/collector_watch.h"

namespace perigee::server {
namespace {

using profiler::Exposition;
using Number = std::uint64_t;
using Seen = WorkerSurvey::Seen;

// What `value` says of each worker's state, added up.
template <typename Value>
Number total(const std::vector<Seen>& seen, const Value& value) {
  Number sum = 0;
  for (const Seen& one : seen) {
    sum += value(one.state);
  }
  return sum;
}

void add(client::HostStats& sum, const client::HostStats& more) {
  sum.requests += more.requests;
  sum.reused += more.reused;
  sum.sent += more.sent;
  sum.received += more.received;
  sum.open += more.open;
  sum.busy += more.busy;
  sum.spent += more.spent;
  for (const auto& [word, count] : more.errors) {
    sum.errors[word] += count;
  }
}

}  // namespace

void write_workers(Exposition& page, const std::vector<std::unique_ptr<Worker>>& workers,
                   const std::vector<Seen>& seen) {
  // One metric with a sample of each worker, by the number that it has in Lua.
  const auto each = [&](auto value) {
    for (std::size_t i = 0; i < workers.size(); ++i) {
      page.sample({{"worker", std::to_string(i + 1)}}, value(*workers[i], seen[i]));
    }
  };
  page.gauge("perigee_worker_responding", "Whether the worker answered within 100 ms when this page was made.");
  each([](Worker&, const Seen& one) { return Number{one.answered}; });
  page.counter("perigee_worker_requests_total", "Requests that the worker answered.");
  each([](Worker& worker, const Seen&) { return worker.meter().requests(); });
  page.counter("perigee_worker_cpu_seconds_total", "Time the worker's thread was on a processor.");
  each([](Worker& worker, const Seen&) { return worker.cpu_seconds(); });
  page.gauge("perigee_worker_connections", "Open connections.");
  each([](Worker& worker, const Seen&) { return Number{worker.connections()}; });
  page.gauge("perigee_worker_posts_queued", "Work from other threads that the worker has not come to.");
  each([](Worker& worker, const Seen&) { return Number{worker.queued()}; });
  page.gauge("perigee_worker_tasks", "Coroutines of handlers, hooks and spawned tasks that run or wait.");
  each([](Worker&, const Seen& one) { return one.state.tasks; });
  page.gauge("perigee_worker_generations", "Versions of the app that live on the worker.");
  each([](Worker& worker, const Seen&) { return Number{worker.generations()}; });
  page.gauge("perigee_lua_heap_bytes", "What the worker's Lua heaps hold, garbage that was not collected included.");
  each([](Worker&, const Seen& one) { return one.state.heap_bytes; });
  page.counter("perigee_lua_collecting_seconds_total", "Time of the garbage collector, by samples.");
  each([](Worker& worker, const Seen&) { return script::CollectorWatch::seconds(&worker.vm_meter()); });
  page.counter("perigee_lua_collections_total", "Rounds of the garbage collector.");
  each([](Worker& worker, const Seen&) { return worker.vm_meter().collections.load(std::memory_order_relaxed); });
  page.counter("perigee_lua_flushes_total", "Times that the worker's compiler was found to have thrown all code away.");
  each([](Worker& worker, const Seen&) { return worker.vm_meter().flushes.load(std::memory_order_relaxed); });
}

void write_dictionaries(Exposition& page, state::SharedDictionaries& dictionaries) {
  const auto figures = dictionaries.figures();
  const auto each = [&](auto value) {
    for (const auto& figure : figures) {
      page.sample({{"dictionary", figure.name}}, Number{value(figure)});
    }
  };
  using Figures = state::SharedDictionaries::Figures;
  page.gauge("perigee_dictionary_entries", "Keys in a shared dictionary.");
  each([](const Figures& figure) { return figure.entries; });
  page.gauge("perigee_dictionary_used_bytes", "Bytes in use: keys, values and what keeping them takes.");
  each([](const Figures& figure) { return figure.used; });
  page.gauge("perigee_dictionary_size_bytes", "Bytes it may use.");
  each([](const Figures& figure) { return figure.size; });
  page.counter("perigee_dictionary_evictions_total", "Keys that went for want of room.");
  each([](const Figures& figure) { return figure.evictions; });
}

void write_sessions(Exposition& page, const state::SessionStore& sessions) {
  page.gauge("perigee_sessions", "Sessions that live.", Number{sessions.count()});
  page.counter("perigee_sessions_made_total", "Sessions that were begun.", sessions.made());
  page.counter("perigee_sessions_evicted_total", "Sessions that went for want of room.", sessions.evicted());
}

void write_topics(Exposition& page, state::Topics& topics, const std::vector<Seen>& seen) {
  const state::Topics::Size size = topics.size();
  page.gauge("perigee_topics", "Topics that have subscribers, members or messages.", Number{size.topics});
  page.gauge("perigee_topic_kept_bytes", "Messages that are kept for those who come back.", Number{size.bytes});
  page.counter("perigee_topic_messages_published_total", "Messages, those that tell of members included.",
               size.published);
  page.counter("perigee_topic_messages_lost_total", "Messages that a worker had no room for, once each worker.",
               total(seen, [](const WorkerState& state) { return state.messages_lost; }));
  page.gauge("perigee_channel_subscribers", "Connections that channels answered and that are open.",
             total(seen, [](const WorkerState& state) { return state.subscribers; }));
}

std::map<std::string, client::HostStats> outbound_hosts(const std::vector<Seen>& seen) {
  std::map<std::string, client::HostStats> hosts;
  for (const Seen& one : seen) {
    for (const auto& [host, stats] : one.state.hosts) {
      add(hosts[host], stats);
    }
  }
  return hosts;
}

void write_hosts(Exposition& page, const std::vector<Seen>& seen) {
  using Hosts = std::map<std::string, client::HostStats>;
  const Hosts hosts = outbound_hosts(seen);
  const auto each = [&](auto value) {
    for (const auto& [host, stats] : hosts) {
      page.sample({{"host", host}}, value(stats));
    }
  };
  page.counter("perigee_client_requests_total", "Requests of perigee.http, redirects and second tries included.");
  each([](const client::HostStats& stats) { return stats.requests; });
  page.counter("perigee_client_reused_total", "Requests that went over a connection of the pool.");
  each([](const client::HostStats& stats) { return stats.reused; });
  page.counter("perigee_client_seconds_total", "Time that requests took, connecting and answers included.");
  each([](const client::HostStats& stats) { return static_cast<double>(stats.spent) / 1000; });
  page.counter("perigee_client_sent_bytes_total", "Bytes of requests.");
  each([](const client::HostStats& stats) { return stats.sent; });
  page.counter("perigee_client_received_bytes_total", "Bytes of answers.");
  each([](const client::HostStats& stats) { return stats.received; });
  page.gauge("perigee_client_connections", "Open connections, by whether a request uses them.");
  for (const auto& [host, stats] : hosts) {
    page.sample({{"host", host}, {"state", "busy"}}, stats.busy);
    page.sample({{"host", host}, {"state", "idle"}}, stats.open - stats.busy);
  }
  page.counter("perigee_client_errors_total", "Requests that failed, by the first word of the error.");
  for (const auto& [host, stats] : hosts) {
    for (const auto& [word, count] : stats.errors) {
      page.sample({{"host", host}, {"error", word}}, count);
    }
  }
}

void write_errors(Exposition& page, const profiler::ErrorDesk& errors) {
  const profiler::ErrorDesk::Totals totals = errors.totals();
  page.counter("perigee_errors_total", "Failures that the error desk counted.", totals.errors);
  page.counter("perigee_errors_ignored_total", "Failures that errors.ignore left out.", totals.ignored);
  page.gauge("perigee_error_kinds", "Kinds of failures that the error desk keeps.", Number{totals.kinds});
}

}  // namespace perigee::server
