#include "server/test_app.h"

#include <future>
#include <optional>
#include <utility>

#include "net/listener.h"
#include "net/socket_address.h"
#include "server/session_settings.h"
#include "server/vm_settings.h"

namespace perigee::server {
namespace {

constexpr Milliseconds kStopPatience = 5000;
constexpr Milliseconds kGlance = 1;  // how long others wait for their turn
constexpr Milliseconds kLongestGlance = 20;

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) {
    text.append(text.empty() ? "" : "\n").append(line);
  }
  return text;
}

template <typename Value>
bool is_ready(const std::future<Value>& future) {
  return future.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
}

}  // namespace

void TestState::apply(const Options& options) {
  state::SharedDictionaries::Settings settings;
  settings.default_size = static_cast<std::size_t>(options.shared_size);
  for (const auto& [name, dictionary] : options.shared) {
    settings.named[name] = {static_cast<std::size_t>(dictionary.size), dictionary.pin};
  }
  shared.apply(settings);
  sessions.apply(session_settings(options));
  errors.apply({options.errors_ignore, static_cast<std::size_t>(options.errors_kinds)});
  topics.apply({static_cast<std::size_t>(options.channel_history), milliseconds(options.channel_keep) * 1000,
                static_cast<std::size_t>(options.channel_memory)});
}

TestApp::TestApp(std::shared_ptr<const Options> options, const Settings& settings)
    : options_(std::move(options)),
      state_(settings.state != nullptr ? settings.state : std::make_shared<TestState>()),
      background_(shared_setup(settings), *options_),
      worker_(setup(settings)),
      alarm_(*this),
      meanwhile_(settings.meanwhile) {}

Worker::Setup TestApp::shared_setup(const Settings& settings) {
  Worker::Setup setup;
  setup.watchdog = settings.watchdog;
  setup.options = options_;
  setup.limits = &state_->limits;
  setup.rates = &state_->rates;
  setup.shared = &state_->shared;
  setup.errors = &state_->errors;
  setup.topics = &state_->topics;
  setup.helpers = &helpers_;
  setup.sessions = &state_->sessions;
  setup.route_names = &state_->route_names;
  setup.detours = settings.detours;
  return setup;
}

Worker::Setup TestApp::setup(const Settings& settings) {
  state_->apply(*options_);
  Worker::Setup setup = shared_setup(settings);
  setup.number = settings.lane;
  setup.count = settings.lanes;
  setup.jobs = &background_;
  setup.on_stop_error = [this](const std::string& error) { note_stop_error(error); };
  return setup;
}

Result<std::unique_ptr<TestApp>> TestApp::open(const Options& options, const Settings& settings) {
  auto own = std::make_shared<Options>(options);
  own->proxy_protocol = "off";
  own->connections_per_address = 0;
  own->dev = false;
  script::VmSettings vm_options = vm_settings(*own, settings.lane, settings.lanes);
  vm_options.allocations = settings.allocations;
  vm_options.coverage = settings.coverage;
  if (const std::int64_t left = settings.patience * 1'000'000; left < vm_options.limits.load) {
    vm_options.limits.load = left;
    vm_options.limits.load_option = "--timeout";
  }
  vm_options.limits.load_left = vm_options.limits.load;
  std::vector<std::string> mistakes;
  auto vm = script::Vm::load(vm_options, mistakes);
  if (vm == nullptr) {
    return fail(joined(mistakes));
  }
  std::unique_ptr<TestApp> app(new TestApp(own, settings));
  TRY(app->start(std::move(vm), settings));
  return app;
}

Result<> TestApp::start(std::unique_ptr<script::Vm> vm, const Settings& settings) {
  const bool has_stop_hooks = vm->has_stop_hooks();
  if (settings.served) {
    TRY(bind());
    worker_.start();
    threaded_ = true;
  } else {
    worker_.start_here();
  }
  auto ready = std::make_shared<std::promise<std::string>>();
  std::future<std::string> started = ready->get_future();
  worker_.prepare(std::move(vm), 1, [ready, log = settings.served ? settings.log : nullptr](const std::string& error) {
    if (log != nullptr) {
      SpecLog::collect(log);
    }
    ready->set_value(error);
  });
  const Milliseconds deadline = real_ms() + settings.patience;
  const auto is_over = [&] { return settings.is_over ? settings.is_over() : real_ms() >= deadline; };
  while (!is_ready(started) && !is_over()) {
    if (!meanwhile()) {
      turn(meanwhile_ ? kGlance : kLongestGlance);
    }
  }
  if (!is_ready(started)) {
    return fail(options_->app + ": its start hooks did not end in time");
  }
  if (const std::string error = started.get(); !error.empty()) {
    return fail(options_->app + ": a start hook failed: " + error);
  }
  worker_.activate(1, options_);
  has_stop_hooks_ = has_stop_hooks;
  if (settings.served) {
    worker_.listen(std::move(socket_.front()), nullptr).wait();
  } else {
    turn(0);
  }
  return {};
}

Result<> TestApp::bind() {
  const auto address = TRY(net::SocketAddress::parse(options_->listen.front()));
  socket_.push_back(TRY(net::ListenSocket::open(address, static_cast<int>(options_->backlog), /*reuse_port=*/false)));
  address_ = socket_.front().address().text();
  return {};
}

bool TestApp::turn(Milliseconds longest) {
  if (threaded_) {
    std::this_thread::sleep_for(std::chrono::milliseconds(std::min(longest, kGlance)));
    return false;
  }
  const bool wait = longest > 0 && !busy_;
  if (wait) {
    worker_.loop().timers().add(alarm_, monotonic_ms() + longest);
  }
  busy_ = worker_.loop().turn(wait);
  return busy_;
}

void TestApp::note_stop_error(const std::string& error) {
  const std::lock_guard lock(mutex_);
  stop_error_ = error;
}

Result<> TestApp::close() {
  if (!std::exchange(has_stop_hooks_, false)) {
    return {};
  }
  const bool in_time = stop();
  const std::lock_guard lock(mutex_);
  if (!stop_error_.empty()) {
    return fail(options_->app + ": a stop hook failed: " + stop_error_);
  }
  return in_time ? Result<>() : fail(options_->app + ": its stop hooks did not end in time");
}

TestApp::~TestApp() {
  (void)close();
  helpers_.stop();
  background_.stop();
  if (threaded_) {
    worker_.stop();
  } else {
    worker_.stop_here();
  }
}

// Whether they ended in time. In memory nobody waits for real: the clock moves while they run, and back when they have.
bool TestApp::stop() {
  auto drained = std::make_shared<std::promise<void>>();
  std::future<void> done = drained->get_future();
  worker_.cancel_tasks(script::CancelReason::kDraining);
  worker_.drain(monotonic_ms() + kStopPatience, [drained] { drained->set_value(); });
  const Milliseconds deadline = real_ms() + kStopPatience;
  const Milliseconds ahead = clock_ahead;
  while (!is_ready(done) && real_ms() < deadline) {
    if (meanwhile()) {
      continue;
    }
    if (!threaded_ && !turn(0)) {
      clock_ahead += 1;
    } else if (threaded_) {
      turn(1);
    }
  }
  clock_ahead = ahead;
  return is_ready(done);
}

}  // namespace perigee::server
