// A worker's life: its thread, its generations, its end.

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <limits>
#include <new>
#include <optional>
#include <utility>

#include "base/insist.h"
#include "base/log.h"
#include "base/marks.h"
#include "server/worker.h"

namespace perigee::server {
namespace {

constexpr Milliseconds kHousekeeping = 20;

client::NetworkSettings network_settings(const Options& options) {
  client::NetworkSettings settings;
  settings.names.nameservers = options.nameservers;
  settings.names.timeout = milliseconds(options.name_timeout);
  settings.names.tries = static_cast<int>(options.name_tries);
  settings.names.cached = static_cast<std::size_t>(options.names);
  settings.pool_size = static_cast<std::size_t>(options.pool_size);
  settings.idle = milliseconds(options.pool_idle);
  settings.most_received = static_cast<std::size_t>(options.client_receive);
  settings.most_answered = static_cast<std::size_t>(options.client_body);
  settings.block_private = options.block_private;
  settings.ca_file = options.ca_file;
  return settings;
}

void pin_to(int processor) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<unsigned>(processor), &set);
  if (pthread_setaffinity_np(pthread_self(), sizeof set, &set) != 0) {
    log_event(LogLevel::kWarn, "a worker can't be pinned to processor " + std::to_string(processor));
  }
}

}  // namespace

Worker::Worker(Setup setup)
    : setup_(std::move(setup)), channels_(*setup_.topics, loop_, *this), housekeeping_(*this), access_flush_(*this) {
  network_.set_detours(setup_.detours);
  apply(setup_.options);
}

Worker::~Worker() {
  stop();
}

void Worker::apply(std::shared_ptr<const Options> options) {
  options_ = std::move(options);
  head_limits_.request_line = static_cast<std::uint32_t>(options_->request_line);
  head_limits_.field_line = static_cast<std::uint32_t>(options_->field_line);
  head_limits_.total = static_cast<std::uint32_t>(options_->head);
  head_limits_.fields = static_cast<std::uint32_t>(options_->fields);
  head_memos_.clear();
  idle_timeout_ = static_cast<Milliseconds>(options_->idle_timeout * 1000);
  session_cookie_ = script::SessionCookie(options_->session_cookie);
  trusted_ = {};
  for (const std::string& proxy : options_->trusted_proxies) {
    (void)trusted_.add(proxy);  // check_options() has seen to it that it can be
  }
  proxy_header_ = options_->proxy_protocol == "required";
  files_.set_limits({static_cast<std::size_t>(options_->static_files),
                     static_cast<std::size_t>(options_->static_memory),
                     static_cast<std::size_t>(options_->sendfile_from), milliseconds(options_->static_check)});
  network_.apply(network_settings(*options_));
  channels_.apply({milliseconds(options_->channel_heartbeat), static_cast<std::size_t>(options_->output_watermark)});
  open_access_log();
}

void Worker::open_access_log() {
  access_flush_.cancel();
  access_log_.reset();
  LogWriter* writer = setup_.access_targets != nullptr ? setup_.access_targets->find(options_->access) : nullptr;
  if (writer != nullptr) {
    const AccessFormat format = options_->access_format == "json" ? AccessFormat::kJson : AccessFormat::kCombined;
    access_log_ = std::make_unique<AccessLog>(*writer, format, options_->access_skip);
  }
}

void Worker::start_here() {
  loop_.set_turn_work([this] { return end_turn(); });
}

void Worker::stop_here() {
  listeners_.clear();
  for (net::Connection* client : connections_.all()) {
    client->close();
  }
  for (net::Connection* client : turned_away_.all()) {
    client->close();
  }
  loop_.run_leftovers();
}

net::Connection* Worker::connect() {
  net::PeerAddress peer;
  peer.family = AF_INET;
  peer.bytes = {127, 0, 0, 1};
  return adopt(net::Connection::kInMemory, peer);
}

void Worker::start() {
  start_here();
  std::promise<void> shown;
  thread_ = std::thread([this, &shown] {
    pulse_ = &pulse;
    shown.set_value();
    if (setup_.background) {
      come_after_others();
    }
    marks.worker = setup_.number;
    pthread_setname_np(pthread_self(), ("perigee-" + std::to_string(setup_.number)).c_str());
    if (setup_.processor >= 0) {
      pin_to(setup_.processor);
    }
    std::optional<Watchdog::Watch> watched;
    std::optional<profiler::Recorder::Watch> recorded;
    const bool seen = insist([&] {
      if (setup_.watchdog != nullptr && !watched) {
        watched.emplace(*setup_.watchdog, Watchdog::Clock::kProcessor, !setup_.background);
      }
      if (setup_.recorder != nullptr && !recorded) {
        recorded.emplace(*setup_.recorder, setup_.number, recorder_hooks());
      }
    });
    if (!seen) {
      log_event(LogLevel::kError, "out of memory: nothing watches over a worker");
    }
    loop_.run();
    stop_here();
  });
  shown.get_future().wait();
}

// Called by the recorder's thread, while this worker's runs.
profiler::Recorder::Hooks Worker::recorder_hooks() {
  profiler::Recorder::Hooks hooks;
  hooks.sample_allocations = [this](bool on) {
    loop_.post([this, on] {
      generations_.each([on](const Generation& generation) { generation.vm->sample_allocations(on); });
    });
  };
  hooks.note_waits = [this](bool on) {
    loop_.post([this, on] {
      generations_.each([on](const Generation& generation) {
        generation.vm->note_waits(on);
        if (on) {
          generation.vm->note_lasting_waits(
              [](const script::Task& task) { return counted_route(static_cast<const Visit*>(task.exchange)); });
        }
      });
    });
  };
  return hooks;
}

void Worker::stop() {
  if (thread_.joinable()) {
    loop_.stop();
    thread_.join();
  }
}

std::future<void> Worker::listen(net::ListenSocket socket,
                                 std::function<void(int fd, const net::PeerAddress& peer)> accepted) {
  auto shared = std::make_shared<net::ListenSocket>(std::move(socket));
  auto listening = std::make_shared<std::promise<void>>();
  loop_.post([this, shared, listening, accepted = std::move(accepted)] {
    auto on_accept = accepted ? accepted : [this](int fd, const net::PeerAddress& peer) { adopt(fd, peer); };
    listeners_.push_back(std::make_unique<net::Listener>(loop_, std::move(*shared), std::move(on_accept)));
    listening->set_value();
  });
  return listening->get_future();
}

void Worker::take(int fd, const net::PeerAddress& peer) {
  handed_over_.fetch_add(1, std::memory_order_relaxed);
  loop_.post([this, fd, peer] {
    handed_over_.fetch_sub(1, std::memory_order_relaxed);
    if (!generations_.has_current()) {  // the end has overtaken it
      ::close(fd);
      return;
    }
    try {
      adopt(fd, peer);
    } catch (const std::bad_alloc&) {
      ::close(fd);
      throw;
    }
  });
}

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

void Worker::look(std::function<void(const WorkerState& state)> done) {
  loop_.post([this, done = std::move(done)] {
    WorkerState state;
    generations_.each([&state](const Generation& generation) {
      generation.vm->look_for_flush();
      state.heap_bytes += generation.vm->heap_bytes();
      state.tasks += generation.vm->busy_tasks();
    });
    state.subscribers = channels_.clients();
    state.messages_lost = channels_.lost();
    state.hosts = network_.hosts().all();
    slow_.forget(wall_seconds());
    state.slow = slow_.all();
    done(state);
  });
}

void Worker::describe(const char* what, std::function<void(std::string text)> done) {
  loop_.post([this, what, done = std::move(done)] {
    if (!generations_.has_current()) {
      done("{}");
      return;
    }
    script::Vm& vm = *generations_.current().vm;
    vm.look_for_flush();
    done(vm.description(what));
  });
}

double Worker::cpu_seconds() {
  clockid_t clock{};
  timespec spent{};
  if (pthread_getcpuclockid(thread_.native_handle(), &clock) != 0 || clock_gettime(clock, &spent) != 0) {
    return 0;
  }
  return static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) * 1e-9;
}

void Worker::run_job(script::Job& job, std::function<void(const std::string& error)> on_end) {
  generations_.current().dispatcher.run_job(job, std::move(on_end));
}

void Worker::discard(std::uint64_t number) {
  loop_.post([this, number] {
    generations_.discard(number);
    housekeep_soon();
  });
}

void Worker::cancel_tasks(script::CancelReason reason) {
  loop_.post([this, reason] {
    generations_.each([reason](const Generation& generation) { generation.vm->cancel_all(reason); });
  });
}

void Worker::drain(Milliseconds deadline, std::function<void()> on_drained) {
  loop_.post([this, deadline, on_drained = std::move(on_drained)] {
    for (const auto& listener : listeners_) {
      listener->accept_all();
    }
    listeners_.clear();
    draining_ = true;
    drain_deadline_ = deadline;
    drained_ = on_drained;
    channels_.end_all();
    generations_.each([](Generation& generation) { generation.vm->retire(); });
    close_idle();
    housekeep_soon();
  });
}

// Idle connections are closed; one whose request may be on its way (it was just accepted, or its bytes wait to be read)
// gets a moment to bring it.
void Worker::close_idle() {
  constexpr Milliseconds kMoment = 1000;
  for (net::Connection* client : connections_.all()) {
    const Visit* visit = visit_of(*client);
    const bool asking = visit != nullptr && visit->stage != Visit::Stage::kProxyHeader;
    if (asking || !client->input().empty()) {
      continue;
    }
    if (client->has_unread() || !client->served()) {
      client->set_deadline(monotonic_coarse_ms() + kMoment);
    } else {
      client->close_gracefully();
    }
  }
}

void Worker::housekeep_soon() {
  loop_.timers().add(housekeeping_, monotonic_ms() + kHousekeeping);
}

// While something is ending: looks after generations on their way out, and after the worker's own end.
void Worker::keep_house() {
  const Milliseconds now = monotonic_ms();
  const bool waiting = !take_up_next();
  const bool leaving = generations_.collect(now, [this](Generation& generation) { abandon(generation); });
  if (draining_ && !ending_ && (connections_.empty() || now >= drain_deadline_)) {
    ending_ = true;
    generations_.drain_all(drain_deadline_);
  }
  if (ending_ && connections_.empty() && generations_.quiet() && drained_) {
    std::exchange(drained_, nullptr)();
    return;
  }
  if (ending_ && now >= drain_deadline_ + Generations::kGrace) {
    for (net::Connection* client : connections_.all()) {
      client->close();
    }
  }
  if (waiting || leaving || draining_) {
    housekeep_soon();
  }
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
