#pragma once

#include <atomic>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/pulse.h"
#include "base/watchdog.h"
#include "base/work_queue.h"
#include "client/network.h"
#include "files/file_cache.h"
#include "http/head_scanner.h"
#include "net/address_set.h"
#include "net/connection.h"
#include "net/connection_set.h"
#include "net/event_loop.h"
#include "net/listener.h"
#include "profiler/error_desk.h"
#include "profiler/recorder.h"
#include "profiler/request_meter.h"
#include "profiler/slow_requests.h"
#include "profiler/vm_meter.h"
#include "script/host.h"
#include "server/access_log.h"
#include "server/access_targets.h"
#include "server/answer_writer.h"
#include "server/channels.h"
#include "server/connection_limits.h"
#include "server/generations.h"
#include "server/head_memos.h"
#include "server/occasional_note.h"
#include "server/options.h"
#include "server/visit.h"
#include "state/rate_limiter.h"
#include "state/session_store.h"
#include "state/shared_dictionaries.h"
#include "state/topics.h"

namespace perigee::script {
class TestDesk;
}

namespace perigee::server {

/// What only a worker's own thread can see of it, at one moment.
struct WorkerState {
  std::uint64_t heap_bytes = 0;                                 ///< of all living generations
  std::uint64_t tasks = 0;                                      ///< that run or wait
  std::uint64_t subscribers = 0;                                ///< connections of channels
  std::uint64_t messages_lost = 0;                              ///< that came faster than the worker took them
  std::map<std::string, client::HostStats, std::less<>> hosts;  ///< what perigee.http did
  std::vector<profiler::SlowRequest> slow;                      ///< the slowest requests of late
};

/// One thread with its event loop and its Lua VM: takes connections, reads requests, has Lua answer them and writes the
/// answers. Three doors lead in: serve() when bytes have come, resume() when something waited for is there, complete()
/// when an answer is ready. Everything but start(), post-like methods and counters belongs to its own thread.
class Worker final : public net::ConnectionHandler, public script::Host {
 public:
  /// What an admin app may ask for: has `done` called, on any thread, with a JSON text.
  using Operation = std::function<void(std::string_view name, std::function<void(std::string)> done)>;

  struct Setup {
    int number = 0;
    int count = 1;
    int processor = -1;  ///< to run on; -1 for any
    std::shared_ptr<const Options> options;
    ConnectionLimits* limits = nullptr;
    state::RateLimiter* rates = nullptr;
    state::SharedDictionaries* shared = nullptr;
    state::SessionStore* sessions = nullptr;
    state::Topics* topics = nullptr;
    WorkQueue* helpers = nullptr;
    profiler::ErrorDesk* errors = nullptr;
    profiler::RouteNames* route_names = nullptr;
    profiler::Recorder* recorder = nullptr;           ///< null: it is never recorded
    Watchdog* watchdog = nullptr;                     ///< null: nobody stops what never ends
    AccessTargets* access_targets = nullptr;          ///< null: no access log
    std::function<void(std::size_t bytes)> outgrown;  ///< a VM needs more memory than it may; on the worker's thread
    Generations::OnStopError on_stop_error;           ///< null: only the log; on the worker's thread
    Operation operation;                              ///< none but for the admin app
    script::JobDesk* jobs = nullptr;                  ///< null: perigee.run raises
    bool background = false;                          ///< runs jobs: long stays in Lua are what it is for
    script::TestDesk* desk = nullptr;                 ///< of a file of tests
    const client::Detours* detours = nullptr;         ///< where perigee.http finds hosts that a test stands in for
  };

  explicit Worker(Setup setup);
  ~Worker() override;

  // --- any thread ---

  /// Starts the thread. Connections are taken only after listen().
  void start();
  /// Ends the loop and joins the thread; connections still open are dropped.
  void stop();
  /// Takes connections from a socket. `accepted` decides whose they are; null: this worker's. The future is ready when
  /// the worker accepts.
  std::future<void> listen(net::ListenSocket socket,
                           std::function<void(int fd, const net::PeerAddress& peer)> accepted);
  /// Hands over an accepted socket.
  void take(int fd, const net::PeerAddress& peer);
  /// Takes a loaded VM and runs its start hooks; `on_ready` is told "" or the error, on the worker's thread.
  void prepare(std::unique_ptr<script::Vm> vm, std::uint64_t number, std::function<void(const std::string&)> on_ready);
  void activate(std::uint64_t number, std::shared_ptr<const Options> options);
  void discard(std::uint64_t number);
  /// Has what its Lua computes now end as if it were over its CPU limit, until its thread takes back Pulse::stop.
  /// REQUIRES: start() was called, stop() was not.
  void interrupt() { pulse_.load()->stop.store(true, std::memory_order_relaxed); }
  /// Makes the waits of every task raise.
  void cancel_tasks(script::CancelReason reason);
  /// Stops taking connections once the queue is empty, answers what is under way and then calls `on_drained`. After
  /// `deadline` (monotonic milliseconds) what still runs is cancelled.
  void drain(Milliseconds deadline, std::function<void()> on_drained);
  [[nodiscard]] std::size_t connections() const { return connection_count_.load(std::memory_order_relaxed); }
  /// Connections open or handed over: what balancing goes by.
  [[nodiscard]] std::size_t load() const { return connections() + handed_over_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::size_t generations() const { return generations_.live(); }
  /// What it counts while it serves.
  [[nodiscard]] const profiler::RequestMeter& meter() const { return meter_; }
  [[nodiscard]] const net::Traffic& traffic() const { return loop_.traffic(); }
  /// What the VMs count that run on it.
  [[nodiscard]] profiler::VmMeter& vm_meter() { return vm_meter_; }
  /// Has `done` called on the worker's thread with its state, once it comes to it.
  void look(std::function<void(const WorkerState& state)> done);
  /// Has `done` called on the worker's thread with what the library's loader says of the app under the name `what`.
  void describe(const char* what, std::function<void(std::string text)> done);
  /// Work that other threads posted and it has not come to.
  [[nodiscard]] std::size_t queued() const { return loop_.queued(); }
  /// Seconds its thread has been on a processor. REQUIRES: start() was called, stop() was not.
  [[nodiscard]] double cpu_seconds();

  // --- a worker without a thread of its own ---

  /// Runs a job in the VM that serves; `on_end` as for Dispatcher::run_job(). The worker's thread.
  void run_job(script::Job& job, std::function<void(const std::string& error)> on_end);

  /// Instead of start(): the calling thread is the worker's, and turns its loop.
  void start_here();
  /// Ends what start_here() began; connections still open are dropped.
  void stop_here();
  [[nodiscard]] net::EventLoop& loop() { return loop_; }
  /// The VM that serves; null before activate().
  [[nodiscard]] const script::Vm* vm() {
    return generations_.has_current() ? generations_.current().vm.get() : nullptr;
  }
  /// A connection whose client is in this process; null when the worker takes no more.
  [[nodiscard]] net::Connection* connect();
  /// The time is read anew: to be called before bytes are brought outside of a turn of the loop.
  void begin_turn() { loop_.begin_turn(); }

  // --- net::ConnectionHandler ---
  void on_data(net::Connection& client) override { serve(client); }
  void on_half_close(net::Connection& client) override;
  void on_drained(net::Connection& client) override;
  void on_file_sent(net::Connection& client, bool whole) override;
  void on_deadline(net::Connection& client) override;
  void on_closed(net::Connection& client) override;

  // --- script::Host ---
  [[nodiscard]] TimerWheel& timers() override { return loop_.timers(); }
  [[nodiscard]] Milliseconds now() override { return now_; }
  [[nodiscard]] Room write_stream(script::Exchange& exchange, std::string_view bytes) noexcept override;
  void receive_body(script::Exchange& exchange) noexcept override;
  void await_body(script::Exchange& exchange, script::Task& waiter, bool whole) override;
  [[nodiscard]] std::string request_id(const script::Exchange& exchange) override;
  [[nodiscard]] std::string remote_address(const script::Exchange& exchange) override;
  [[nodiscard]] std::string_view scheme(const script::Exchange& exchange) override;
  [[nodiscard]] state::RateLimiter& rates() override { return *setup_.rates; }
  [[nodiscard]] files::FileCache& files() override { return files_; }
  [[nodiscard]] state::SharedDictionaries& shared() override { return *setup_.shared; }
  [[nodiscard]] client::Network& network() override { return network_; }
  [[nodiscard]] state::SessionStore& sessions() override { return *setup_.sessions; }
  [[nodiscard]] const script::SessionCookie& session_cookie() override { return session_cookie_; }
  void watch_session(script::Exchange& exchange) override;
  [[nodiscard]] state::Topics& topics() override { return *setup_.topics; }
  void listen(script::TopicListener& listener, std::string_view topic) override { channels_.listen(listener, topic); }
  void stop_listening(script::TopicListener& listener, std::string_view topic) noexcept override {
    channels_.stop_listening(listener, topic);
  }
  [[nodiscard]] profiler::ErrorDesk& errors() override { return *setup_.errors; }
  [[nodiscard]] Executor& executor() override { return loop_; }
  void outgrown(std::size_t bytes) override;
  [[nodiscard]] script::JobDesk* jobs() override { return setup_.jobs; }
  [[nodiscard]] WorkQueue& helpers() override { return *setup_.helpers; }
  [[nodiscard]] bool begin_operation(script::Task& task, std::string_view name) override;
  [[nodiscard]] script::TestDesk* test_desk() override { return setup_.desk; }

 private:
  using Outcome = script::Dispatcher::Outcome;
  static constexpr std::size_t kWarmVisits = 256;        ///< pooled visits that keep their memory
  static constexpr std::size_t kInputLimit = 64 * 1024;  ///< unread bytes of a connection whose answer is awaited
  static constexpr std::size_t kMostRest = 256 * 1024;   ///< unread bytes of a body that are passed over
  static constexpr Milliseconds kLastWords = 500;  ///< between telling a handler that its time is over and not waiting

  // The hallway, in the order a request walks it.
  net::Connection* adopt(int fd, const net::PeerAddress& peer);
  [[nodiscard]] net::Connection& open_admitted(int fd, const net::PeerAddress& known);
  void serve(net::Connection& client);
  [[nodiscard]] bool advance(net::Connection& client, Visit& visit);
  [[nodiscard]] bool read_head(net::Connection& client, Visit& visit);
  [[nodiscard]] bool enter(net::Connection& client, Visit& visit);
  [[nodiscard]] bool read_body(net::Connection& client, Visit& visit);
  [[nodiscard]] Outcome dispatch(Visit& visit);
  [[nodiscard]] bool conclude(Visit& visit, Outcome outcome);
  [[nodiscard]] bool complete(Visit& visit);
  void settle(net::Connection& client, bool turn_over);

  // Side rooms.
  void resume(script::Task& task);
  [[nodiscard, gnu::always_inline]] Visit& begin_visit(net::Connection& client) {
    if (free_visits_.empty()) [[unlikely]] {
      add_visit();
    }
    Visit& visit = *free_visits_.back();
    free_visits_.pop_back();
    visit.begin(client);
    visit.id = ++last_id_;
    visit.began = arrived_;
    client.context = &visit;
    meter_.begin_request();
    visit.started_ns = access_log_ != nullptr ? monotonic_ns() : 0;
    return visit;
  }
  void add_visit();
  [[gnu::always_inline]] void release(Visit& visit) {
    if (visit.generation != nullptr) {
      --visit.generation->pins;
    }
    visit.connection = nullptr;
    visit.generation = nullptr;
    visit.task = nullptr;
    visit.stage = Visit::Stage::kHead;
    if (const bool cold = free_visits_.size() >= kWarmVisits; cold || visit.holds()) [[unlikely]] {
      visit.shed(cold);
    }
    free_visits_.push_back(&visit);
  }
  void match_route(Visit& visit);
  void measure(Visit& visit);
  static void mark_route(const Visit* visit);
  [[nodiscard]] static std::int32_t counted_route(const Visit* visit);
  [[nodiscard]] profiler::Recorder::Hooks recorder_hooks();
  void note_slow(const Visit& visit, Ticks latency) noexcept;
  void name_routes(Generation& generation);
  [[nodiscard]] std::int64_t body_limit_of(const Visit& visit) const;
  [[nodiscard]] bool take_up_next();
  [[nodiscard]] bool begin_body(net::Connection& client, Visit& visit);
  [[nodiscard]] bool keep_body_rate(net::Connection& client, Visit& visit);
  [[nodiscard]] bool body_is_slow(const Visit& visit, Milliseconds elapsed) const;
  void begin_intake(Visit& visit);
  [[nodiscard]] bool attend(net::Connection& client, Visit& visit);
  void take_in(Visit& visit);
  void end_body_wait(Visit& visit);
  void fail_body(Visit& visit, int status, std::string_view word, std::string_view detail);
  [[nodiscard]] std::uint64_t leave_body(Visit& visit);
  [[nodiscard]] bool answer_early(Visit& visit);
  [[nodiscard]] bool begin_rest(net::Connection& client, std::uint64_t rest);
  [[nodiscard]] bool skip_rest(net::Connection& client, Visit& visit);
  [[nodiscard]] bool refuse_body(Visit& visit, int status, std::string_view detail);
  [[nodiscard]] Outcome refuse_unrouted(Visit& visit);
  void suspend(Visit& visit);
  [[nodiscard]] Outcome begin_stream(Visit& visit);
  void break_off(Visit& visit);
  [[nodiscard]] bool begin_file(Visit& visit);
  [[nodiscard]] bool send_pieces(Visit& visit);
  void let_go(Visit& visit);
  void break_off_file(net::Connection& client, Visit& visit);
  [[nodiscard]] bool begin_long_answer(Visit& visit);
  [[nodiscard]] bool begin_channel(Visit& visit);
  void part(Visit& visit);
  [[nodiscard]] bool refuse_and_close(Visit& visit, int status, std::string_view detail);
  void stop_handler(net::Connection& client, Visit& visit);
  [[nodiscard]] ClientOrigin origin_of(const script::Exchange& exchange) const;
  void await_proxy_header(net::Connection& client, const net::PeerAddress& proxy);
  [[nodiscard]] bool read_proxy_header(net::Connection& client, Visit& visit);
  void refuse_proxy(net::Connection& client, const net::PeerAddress& proxy, std::string_view why);
  [[nodiscard]] bool may_be_proxy(const net::PeerAddress& peer) const;
  void turn_away(net::Connection& client, ConnectionLimits::Verdict verdict);
  void turn_away(int fd, const net::PeerAddress& peer, ConnectionLimits::Verdict verdict);
  void flush_later(net::Connection& client);
  void log_access(const Visit& visit);
  void flush_access_log() { access_log_->flush(); }
  void open_access_log();
  [[nodiscard]] bool end_turn();
  void abandon(Generation& generation);
  void close_idle();
  void keep_house();
  void housekeep_soon();
  void refresh_time();
  void apply(std::shared_ptr<const Options> options);
  [[nodiscard]] static Visit* visit_of(net::Connection& client) { return static_cast<Visit*>(client.context); }

  Setup setup_;
  profiler::VmMeter vm_meter_;  // outlives the VMs
  profiler::RequestMeter meter_;
  profiler::SlowRequests slow_;
  net::EventLoop loop_;
  std::shared_ptr<const Options> options_;
  http::HeadLimits head_limits_;
  HeadMemos head_memos_;
  script::SessionCookie session_cookie_;
  net::AddressSet trusted_;     // whose forwarding headers are believed
  bool proxy_header_ = false;   // connections begin with one
  OccasionalNote proxy_notes_;  // on connections that were closed for theirs
  client::Network network_{loop_};
  Channels channels_;  // before the VMs, whose subscriptions end with them
  Generations generations_{setup_.on_stop_error};
  AnswerWriter answers_;
  files::FileCache files_{{}};
  std::vector<std::unique_ptr<net::Listener>> listeners_;
  net::ConnectionSet connections_;
  net::ConnectionSet turned_away_;
  std::vector<net::Connection*> backlog_;    // more requests are in their buffers than one turn may take
  std::vector<net::Connection*> unflushed_;  // streams wrote to them
  std::vector<std::unique_ptr<Visit>> visits_;
  std::vector<Visit*> free_visits_;
  TimerOf<Worker, &Worker::keep_house> housekeeping_;
  std::unique_ptr<AccessLog> access_log_;  // null when off
  TimerOf<Worker, &Worker::flush_access_log> access_flush_;
  Milliseconds idle_timeout_ = 0;
  Milliseconds now_ = 0;
  Ticks arrived_ = 0;                     // when the bytes came that are served now
  std::uint64_t time_turn_ = UINT64_MAX;  // the loop's turn that now_ was read in
  double last_id_ = 0;
  Milliseconds drain_deadline_ = 0;
  std::uint64_t next_ = 0;  ///< the generation that is to be taken up; 0: none
  std::shared_ptr<const Options> next_options_;
  bool draining_ = false;  ///< no new connections, and the open ones end with their next answer
  bool ending_ = false;    ///< no connections are left: the app's stop hooks run
  std::function<void()> drained_;
  std::thread thread_;
  std::atomic<Pulse*> pulse_{nullptr};  // its thread's
  std::atomic<std::size_t> connection_count_{0};
  std::atomic<std::size_t> handed_over_{0};
};

}  // namespace perigee::server
