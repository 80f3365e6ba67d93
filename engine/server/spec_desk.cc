#include "server/spec_desk.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <limits>
#include <utility>

#include "base/pulse.h"
#include "server/config_loader.h"
#include "server/spec_log.h"

namespace perigee::server {
namespace {

std::string text_of(double seconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", seconds);
  return text;
}

constexpr Milliseconds kGlance = 5;          // how long others wait for their turn while one app is waited for
constexpr Milliseconds kLongestGlance = 20;  // how long one waits before it asks whether its time is over
constexpr Milliseconds kLongestLook = 200;   // of the time between two looks: longer ones had the process stand still

}  // namespace

SpecDesk::SpecDesk(Settings settings) : settings_(std::move(settings)) {
  none_.begin(false);
  none_.advance(true);
  looked_ = real_ms();
}

SpecDesk::~SpecDesk() = default;

SpecDesk::Running SpecDesk::look() {
  const std::lock_guard lock(mutex_);
  const Milliseconds now = real_ms();
  const ThreadTimes times = thread_ != 0 ? thread_times(thread_) : ThreadTimes{};
  const ThreadTimes before = std::exchange(times_, times);
  const Milliseconds passed = std::min(now - std::exchange(looked_, now), kLongestLook);
  // Of a thread that waits for a processor now, the kernel tells only later for how long: what it computed is known.
  const Milliseconds counted = times.ready && times.ran > 0 ? (times.ran - before.ran) / 1'000'000
                                                            : passed - (times.queued - before.queued) / 1'000'000;
  if (!meets_) {
    running_.spent += std::clamp<Milliseconds>(counted, 0, passed);
  }
  return running_;
}

void SpecDesk::end_time(std::uint64_t number, const std::function<void()>& act) {
  const std::lock_guard lock(mutex_);
  if (running_.number == number) {
    over_ = true;
    act();
  }
}

void SpecDesk::interrupt(std::uint64_t number, Worker& worker) {
  const std::lock_guard lock(mutex_);
  if (running_.number == number) {
    worker.interrupt();
  }
}

Milliseconds SpecDesk::time_left() const {
  const std::lock_guard lock(mutex_);
  const Milliseconds since = std::clamp<Milliseconds>(real_ms() - looked_, 0, kLongestLook);
  return std::max<Milliseconds>(milliseconds(settings_.time_limit) - running_.spent - since, 1);
}

// What runs from here on has its time from here on. The file's thread: an order to stop what ran before is taken back.
void SpecDesk::run_next(std::string_view name, std::string_view place) {
  const std::lock_guard lock(mutex_);
  running_ = {std::string(name), std::string(place), running_.number + 1, 0};
  looked_ = real_ms();
  over_ = false;
  pulse.stop.store(false, std::memory_order_relaxed);
  if (thread_ == 0) {
    thread_ = static_cast<int>(syscall(SYS_gettid));
    times_ = thread_times(thread_);
  }
}

SpecDesk::Meeting SpecDesk::meet(const Meeting& own) {
  const auto meets = [this](bool on) {
    const std::lock_guard lock(mutex_);
    meets_ = on;
    looked_ = real_ms();
  };
  meets(true);
  const Meeting all = settings_.lanes->meet(own);
  meets(false);
  return all;
}

Result<int> SpecDesk::open_app(const AppRequest& request) {
  std::vector<std::string> sets = settings_.sets;
  sets.insert(sets.end(), request.sets.begin(), request.sets.end());
  auto options = load_options(settings_.config_path, sets);
  if (!options) {
    std::string mistakes;
    for (const ConfigMistake& mistake : options.error()) {
      mistakes.append(mistakes.empty() ? "" : "\n").append(mistake.text());
    }
    return fail(mistakes);
  }
  options->app = request.path;
  TestApp::Settings settings;
  settings.served = request.served;
  settings.patience = time_left();
  settings.is_over = [this] { return is_over(); };
  settings.log = &log_;
  settings.watchdog = settings_.watchdog;
  settings.allocations = tally();
  settings.coverage = settings_.coverage;
  settings.detours = &detours_;
  settings.meanwhile = [this] { return attend().busy; };
  if (settings_.lanes != nullptr) {
    settings.state = settings_.lanes->state(apps_.size());
    settings.lane = settings_.lane;
    settings.lanes = settings_.lanes->count();
  }
  apps_.push_back(TRY(TestApp::open(*options, settings)));
  return static_cast<int>(apps_.size() - 1);
}

Result<> SpecDesk::close_app(int app) {
  if (apps_[at(app)] == nullptr) {
    return {};
  }
  for (auto& client : clients_) {
    if (client != nullptr && &client->app() == apps_[at(app)].get()) {
      client.reset();
    }
  }
  Result<> closed = apps_[at(app)]->close();
  apps_[at(app)].reset();
  return closed;
}

Result<> SpecDesk::close_all() {
  Result<> all;
  for (std::size_t i = 0; i < apps_.size(); ++i) {
    if (Result<> closed = close_app(static_cast<int>(i)); !closed && all) {
      all = std::move(closed);
    }
  }
  return all;
}

std::string SpecDesk::address(int app) {
  return apps_[at(app)] == nullptr ? "" : apps_[at(app)]->address();
}

Result<int> SpecDesk::open_client(int app) {
  if (apps_[at(app)] == nullptr) {
    return fail("the app is closed");
  }
  clients_.push_back(std::make_unique<TestClient>(*apps_[at(app)]));
  return static_cast<int>(clients_.size() - 1);
}

void SpecDesk::close_client(int client) {
  clients_[at(client)].reset();
}

bool SpecDesk::send(int client, std::string_view request, bool is_head) {
  return clients_[at(client)] != nullptr && (is_over() || clients_[at(client)]->send(request, is_head));
}

bool SpecDesk::more_to_come(TestClient& client, Wanted wanted) {
  client.receive();
  switch (client.answer().state()) {
    case http::AnswerReader::State::kHead:
      return true;
    case http::AnswerReader::State::kBody:
      return wanted == Wanted::kWhole || (wanted == Wanted::kPart && client.answer().body().empty());
    case http::AnswerReader::State::kDone:
    case http::AnswerReader::State::kBroken:
      break;
  }
  return false;
}

bool SpecDesk::await(int client, Wanted wanted, double seconds) {
  if (clients_[at(client)] == nullptr) {
    return true;
  }
  if (is_over()) {
    return false;
  }
  if (!more_to_come(*clients_[at(client)], wanted)) {  // what mostly happens
    return true;
  }
  constexpr Milliseconds kNever = std::numeric_limits<Milliseconds>::max();
  const Milliseconds deadline = seconds >= 0 ? real_ms() + milliseconds(seconds) : kNever;
  do {
    const Milliseconds now = real_ms();
    if (now >= deadline || is_over()) {
      return false;
    }
    wait_for(*clients_[at(client)], std::min(deadline - now, kLongestGlance));
  } while (clients_[at(client)] != nullptr && more_to_come(*clients_[at(client)], wanted));  // an upstream may close it
  return true;
}

// Whether an app had anything to do before the clock moves on, or an upstream.
bool SpecDesk::attend_to(TestClient& client) {
  const bool turned = !client.app().served() && apps_turned();
  return attend().busy || turned;
}

bool SpecDesk::apps_turned() {
  bool busy = false;
  for (const auto& app : apps_) {
    busy = (app != nullptr && !app->served() && app->turn(0)) || busy;
  }
  return busy;
}

// The other apps go on meanwhile.
void SpecDesk::wait_for(TestClient& client, Milliseconds longest) {
  bool alone = true;
  for (const auto& app : apps_) {
    if (app != nullptr && !app->served() && app.get() != &client.app()) {
      app->turn(0);
      alone = false;
    }
  }
  if (has_upstreams()) {
    alone = false;
    if (attend_to(client)) {
      return;
    }
  }
  client.wait(alone ? longest : std::min(longest, kGlance));
}

// Until no app has anything to do before the clock moves on.
void SpecDesk::settle() {
  constexpr int kMostTurns = 1000;  // a task may always have more to do
  bool busy = true;
  for (int i = 0; busy && i < kMostTurns; ++i) {
    busy = apps_turned();
    busy = attend().busy || busy;
  }
}

void SpecDesk::move_clock(Milliseconds by) {
  clock_ahead += by;
  for (const auto& app : apps_) {
    if (app != nullptr && !app->served()) {
      app->sweep();
    }
  }
}

bool SpecDesk::advance(double seconds) {
  constexpr double kFarthest = 1e10;  // seconds
  const Milliseconds target =
      clock_ahead + milliseconds(std::min(seconds, kFarthest)) + 1;  // the millisecond that runs has begun already
  settle();
  while (clock_ahead < target && !is_over()) {  // what is always due again would never let it end
    Milliseconds next = std::numeric_limits<Milliseconds>::max();
    for (const auto& app : apps_) {
      if (app != nullptr && !app->served()) {
        next = std::min(next, app->worker().loop().timers().next_deadline());
      }
    }
    next = std::min(next, attend().next.value_or(next));
    move_clock(std::clamp<Milliseconds>(next - monotonic_ms(), 1, target - clock_ahead));
    settle();
  }
  return clock_ahead >= target;
}

void SpecDesk::bench_progress(std::string_view name, double n, int rounds) {
  settings_.lanes->events().on_progress(name, n, rounds);
}

void SpecDesk::bench_failed(std::string_view name, std::string_view message) {
  settings_.lanes->events().on_failure(name, message);
}

void SpecDesk::begin_test(std::string_view name, std::string_view place) {
  SpecLog::collect(&log_);
  began_ns_ = monotonic_ns() - clock_ahead * 1'000'000;
  settings_.on_begin(name, place);
  run_next(name, place);
}

void SpecDesk::renew() {
  std::string name;
  std::string place;
  {
    const std::lock_guard lock(mutex_);
    name = running_.name;
    place = running_.place;
  }
  run_next(name, place);
}

void SpecDesk::end_test(Outcome outcome) {
  const std::string logged = log_.take();
  if (outcome.status != "success" && !logged.empty()) {
    outcome.message.append(outcome.message.ends_with('\n') ? "" : "\n").append("Logged meanwhile:\n").append(logged);
  }
  outcome.seconds = static_cast<double>(monotonic_ns() - clock_ahead * 1'000'000 - began_ns_) * 1e-9;
  if (outcome.status == "success" && outcome.seconds > settings_.time_limit &&
      look().spent > milliseconds(settings_.time_limit)) {
    outcome.status = "error";
    outcome.message = "took " + text_of(outcome.seconds) + " seconds, of " + text_of(settings_.time_limit) +
                      " that a test may take (--timeout)\n";
  }
  run_next("", "");
  settings_.on_outcome(outcome);
}

}  // namespace perigee::server
