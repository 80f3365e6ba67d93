#include "server/server.h"

#include <signal.h>

#include <algorithm>
#include <cstdio>
#include <thread>
#include <utility>

#include "base/log.h"
#include "http/problem.h"
#include "net/signal_source.h"
#include "profiler/error_report.h"
#include "script/probe.h"
#include "script/safepoint_gaps.h"
#include "server/admin.h"
#include "server/development.h"
#include "server/privileges.h"
#include "server/vm_settings.h"

namespace perigee::server {
namespace {

constexpr Milliseconds kSlack = 1000;         // for workers to say that they have drained
constexpr int kAdminNumber = 255;             // of the worker that serves the admin app
constexpr std::size_t kPasswords = 256;       // that may wait to be hashed: some seconds of work
constexpr Milliseconds kLastPatience = 5000;  // for threads to end that have nothing left to do

void print_line(const std::string& text) {
  std::fprintf(stderr, "%s\n", text.c_str());
}

std::size_t processors() {
  return std::max(1U, std::thread::hardware_concurrency());
}

std::size_t worker_count(const Options& options) {
  const auto wanted = static_cast<std::size_t>(options.workers);
  return wanted > 0 ? wanted : processors();
}

}  // namespace

Server::Server(const CommandLine& command, const Options& options)
    : command_(command),
      sessions_({}, monotonic_ms()),
      helpers_(processors(), kPasswords),
      survey_(loop_, workers_),
      patience_(*this),
      sweeping_(*this) {
  Options taken = options;
  soften_for_development(taken);
  options_ = std::make_shared<const Options>(std::move(taken));
}

Server::~Server() {
  reloader_.reset();
  helpers_.stop();
  if (background_ != nullptr) {
    background_->stop();
  }
  admin_.reset();
  if (journal_ != nullptr) {
    journal_->stop();  // while there are workers to be told
  }
  workers_.clear();
  access_targets_.stop();
  set_log_sink(nullptr);
}

int Server::run() {
  net::SignalSource::block_signals({SIGHUP, SIGTERM, SIGINT, SIGUSR1, SIGUSR2, SIGPIPE, SIGXFSZ});
  raise_descriptor_limit(static_cast<std::size_t>(options_->connections) * 2 + 1024);
  auto opened = open_logs();
  if (opened) {
    opened = listeners_.open(*options_, worker_count(*options_));
  }
  if (opened) {
    opened = drop_privileges(options_->user, options_->group, opened_files());
  }
  if (opened) {
    opened = open_sessions();  // as who the server is to be from now on
  }
  if (!opened) {
    print_line("perigee: " + opened.error().message);
    return 1;
  }
  script::Probe::install();
  tell_of_gaps();
  watchdog_ = std::make_unique<Watchdog>();
  watchdog_->report_blocks_after(options_->blocked);
  const net::SignalSource signals(loop_, {SIGHUP, SIGTERM, SIGINT, SIGUSR1, SIGUSR2},
                                  [this](int signal) { on_signal(signal); });
  start_workers();
  if (options_->dev) {
    start_watching();  // first, so that no save is missed
  }
  if (!load_app()) {
    return 1;
  }
  if (auto started = start_admin(); !started) {
    print_line("perigee: " + started.error().message);
    return 1;
  }
  start_listening();
  loop_.run();
  last_resort_.arm(kLastPatience, [this] {
    log_event(LogLevel::kError, "Lua code that never returned is stopped with the process");
    access_targets_.stop();
  });
  return 0;
}

Result<> Server::open_logs() {
  TRY(access_targets_.open(options_->access));
  error_log_ = TRY(ErrorLog::open(ErrorLog::settings_of(*options_)));
  set_log_sink(error_log_.get());
  return {};
}

// What a LuaJIT that is not known in every part makes less of.
void Server::tell_of_gaps() {
  const script::Safepoint::Known& known = script::Safepoint::calibrate();
  for (const std::string& warning : script::gap_warnings(known)) {
    log_event(LogLevel::kWarn, warning);
  }
  recorder_.remark(script::gap_remarks(known));
}

// What was made in the file system so far: log files and Unix sockets.
std::vector<std::string> Server::opened_files() const {
  std::vector<std::string> files = listeners_.files();
  for (const std::string& target : {options_->access, options_->log_error}) {
    if (target != "off" && target != "stdout" && target != "stderr") {
      files.push_back(target);
    }
  }
  return files;
}

void Server::start_workers() {
  bound_state(*options_);
  sweep_sessions();
  bound_errors(*options_);
  background_ = std::make_unique<Background>(worker_setup(), *options_);
  const std::size_t count = worker_count(*options_);
  for (std::size_t i = 0; i < count; ++i) {
    Worker::Setup setup = worker_setup();
    setup.number = static_cast<int>(i);
    setup.count = static_cast<int>(count);
    setup.processor = options_->pin ? static_cast<int>(i % processors()) : -1;
    setup.jobs = background_.get();
    setup.access_targets = &access_targets_;
    setup.outgrown = [this, i](std::size_t bytes) { loop_.post([this, i, bytes] { replacement_.ask(i, bytes); }); };
    workers_.push_back(std::make_unique<Worker>(std::move(setup)));
    workers_.back()->start();
  }
}

// What whoever runs Lua shares.
Worker::Setup Server::shared_setup() {
  Worker::Setup setup;
  setup.rates = &rates_;
  setup.shared = &shared_;
  setup.sessions = &sessions_;
  setup.topics = &topics_;
  setup.helpers = &helpers_;
  setup.errors = &errors_;
  return setup;
}

// What whoever runs the app's code shares.
Worker::Setup Server::worker_setup() {
  Worker::Setup setup = shared_setup();
  setup.options = options_;
  setup.limits = &limits_;
  setup.watchdog = watchdog_.get();
  setup.route_names = &route_names_;
  setup.recorder = &recorder_;
  return setup;
}

bool Server::load_app() {
  reloader_ = std::make_unique<Reloader>(
      workers_, options_, [this](const Options& running, auto& mistakes) { return read_options(running, mistakes); },
      watchdog_.get(), &errors_);
  const ReloadResult result = reloader_->load_first();
  for (const std::string& mistake : result.mistakes) {
    print_line("perigee: " + mistake);
  }
  reloads_.generation = result.generation;
  reloads_.last_ok = result.ok;
  add_metrics();
  reloader_->start();
  return result.ok || options_->dev;
}

Result<> Server::start_admin() {
  const auto socket = listeners_.take_admin();
  if (socket == nullptr) {
    return {};
  }
  const net::SocketAddress address = socket->address();
  auto options = std::make_shared<Options>(admin_options(*options_, address));
  Worker::Setup setup = shared_setup();
  setup.number = kAdminNumber;
  setup.options = options;
  setup.limits = &admin_limits_;
  setup.route_names = &admin_route_names_;
  setup.operation = [this](std::string_view name, const std::function<void(std::string)>& done) {
    operate(name, done);
  };
  admin_ = std::make_unique<Worker>(std::move(setup));
  std::vector<std::string> mistakes;
  auto vm = script::Vm::load(vm_settings(*options, 0, 1), mistakes);
  if (vm == nullptr) {
    return fail("the admin app does not load: " + mistakes.front());
  }
  admin_->start();
  admin_->prepare(std::move(vm), 1, [](const std::string&) {});
  admin_->activate(1, options);
  admin_->listen(std::move(*socket), nullptr).wait();
  print_line("admin on " + url_of(address));
  return {};
}

void Server::start_listening() {
  std::vector<std::future<void>> listening;
  for (Listeners::Bound& bound : listeners_.take()) {
    std::function<void(int, const net::PeerAddress&)> accepted;
    if (bound.balanced && workers_.size() > 1) {
      accepted = [this](int fd, const net::PeerAddress& peer) { least_loaded().take(fd, peer); };
    }
    listening.push_back(workers_[bound.worker]->listen(std::move(bound.socket), std::move(accepted)));
  }
  for (const std::future<void>& ready : listening) {
    ready.wait();
  }
  ready_ = true;
  for (const std::string& url : listeners_.urls()) {
    print_line("listening on " + url);
  }
}

void Server::start_watching() {
  for (const std::string& line : development_warnings(*options_)) {
    log_event(LogLevel::kWarn, line);
  }
  auto opened = net::FileWatch::open(loop_, watch_settings(*options_, command_.config_path),
                                     [this](const std::string&) { reload_by_signal(); });
  if (!opened) {
    log_event(LogLevel::kWarn, "no reload on save: " + opened.error().message);
    return;
  }
  watch_ = std::move(*opened);
  if (watch_->full()) {
    log_event(LogLevel::kWarn, "only " + std::to_string(watch_->folders()) +
                                   " folders are watched for saves (dev.folders): leave some out by dev.ignore");
  }
}

Worker& Server::least_loaded() {
  const auto least = std::min_element(workers_.begin(), workers_.end(),
                                      [](const auto& a, const auto& b) { return a->load() < b->load(); });
  return **least;
}

void Server::on_signal(int signal) {
  switch (signal) {
    case SIGHUP:
      reload_by_signal();
      break;
    case SIGUSR1:
      reopen_logs();
      break;
    case SIGTERM:
    case SIGINT:
      begin_drain();
      break;
    default:  // SIGUSR2 is kept for upgrading the binary
      log_event(LogLevel::kWarn, "SIGUSR2 does nothing yet");
      break;
  }
}

void Server::reload_by_signal() {
  if (!draining_) {
    reloader_->request([this](const ReloadResult& result) { after_reload(result); });
  }
}

void Server::reopen_logs() {
  access_targets_.reopen();
  if (auto reopened = error_log_->reopen(); !reopened) {
    log_event(LogLevel::kError, reopened.error().message);
  }
  log_event(LogLevel::kInfo, "log files reopened");
}

// The first signal drains; a second one does not wait for the rest.
void Server::begin_drain() {
  if (draining_) {
    loop_.stop();
    return;
  }
  draining_ = true;
  ready_ = false;
  watch_.reset();
  log_event(LogLevel::kInfo, "stopping: finishing what is under way");
  const double drain = reloader_->options()->drain;
  reloader_->stop();
  undrained_ = workers_.size();
  const Milliseconds deadline = monotonic_ms() + static_cast<Milliseconds>(drain * 1000);
  loop_.timers().add(patience_, deadline + Generations::kGrace + kSlack);
  for (const auto& worker : workers_) {
    worker->drain(deadline, [this] {
      loop_.post([this] {
        if (--undrained_ == 0) {
          log_errors();
          log_event(LogLevel::kInfo, "stopped");
          loop_.stop();
        }
      });
    });
  }
}

// One line for whoever reads the log's end.
void Server::log_errors() const {
  if (const std::string summary = profiler::errors_summary(errors_); !summary.empty()) {
    log_event(LogLevel::kInfo, summary);
  }
}

void Server::give_up() {
  log_errors();
  log_event(LogLevel::kError, "a worker did not finish in time: it is busy with Lua code");
  loop_.stop();
}

}  // namespace perigee::server
