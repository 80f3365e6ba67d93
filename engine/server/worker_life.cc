// A worker's life: its thread, what others may ask of it, its end.

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

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

}  // namespace perigee::server
