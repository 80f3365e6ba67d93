#include "server/reloader.h"

#include <pthread.h>

#include <chrono>
#include <new>
#include <optional>
#include <utility>

#include "base/escape.h"
#include "base/insist.h"
#include "base/log.h"
#include "server/vm_settings.h"

namespace perigee::server {
namespace {

constexpr auto kPoll = std::chrono::milliseconds(5);
constexpr std::string_view kStopping = "the server is stopping";
constexpr std::string_view kNoMemory = "out of memory";

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) {
    text += text.empty() ? line : "; " + line;
  }
  return text;
}

// What the workers' start hooks said, collected across threads. Outlives a reload that gave up waiting.
struct Answers {
  std::mutex mutex;
  std::condition_variable arrived;
  std::size_t missing = 0;
  std::vector<std::string> errors;
};

// To each of them, also when memory is short. Raises nothing.
void tell(const std::vector<Reloader::Done>& waiting, const ReloadResult& result) {
  for (const Reloader::Done& done : waiting) {
    if (!insist([&] { done(result); })) {
      log_event(LogLevel::kError, "out of memory: who asked for a reload is not told what came of it");
    }
  }
}

}  // namespace

Reloader::Reloader(std::vector<std::unique_ptr<Worker>>& workers, std::shared_ptr<const Options> options,
                   ReadOptions read, Watchdog* watchdog, profiler::ErrorDesk* errors)
    : workers_(workers),
      read_options_(std::move(read)),
      watchdog_(watchdog),
      errors_(errors),
      options_(std::move(options)) {
  refused_.mistakes.emplace_back(kStopping);
  starved_.mistakes.emplace_back(kNoMemory);
}

Reloader::~Reloader() {
  stop();
  if (thread_.joinable()) {
    thread_.join();
  }
}

void Reloader::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
}

bool Reloader::stopping() const {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

ReloadResult Reloader::load_first() {
  ReloadResult result = load(options());
  if (!result.ok) {
    show_mistakes(result.mistakes);
  }
  return result;
}

void Reloader::start() {
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "perigee-reload");
    run();
    refuse_waiting();
  });
}

void Reloader::request(Done done) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(done));
  }
  wake_.notify_all();
}

std::shared_ptr<const Options> Reloader::options() const {
  const std::lock_guard lock(mutex_);
  return options_;
}

std::string Reloader::openapi_json() const {
  const std::lock_guard lock(mutex_);
  return openapi_json_;
}

std::string Reloader::routes_json() const {
  const std::lock_guard lock(mutex_);
  return routes_json_;
}

void Reloader::run() {
  for (;;) {
    std::vector<Done> served;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (stopping_) {
        return;
      }
    }
    const bool room = wait_for_room();
    {
      const std::lock_guard lock(mutex_);
      if (stopping_ || !room) {
        return;
      }
      served.swap(waiting_);  // whatever came until now is served by what is read from here on
    }
    serve(served);
  }
}

void Reloader::serve(const std::vector<Done>& waiting) {
  try {
    tell(waiting, reload());
  } catch (const std::bad_alloc&) {
    log_event(LogLevel::kError, "reload failed, nothing was changed: out of memory");
    tell(waiting, starved_);
  }
}

void Reloader::refuse_waiting() {
  std::vector<Done> refused;
  {
    const std::lock_guard lock(mutex_);
    refused.swap(waiting_);
  }
  tell(refused, refused_);
}

// Old generations still serve their last requests: no more than Generations::kMost live at once.
bool Reloader::wait_for_room() {
  for (;;) {
    bool room = true;
    for (const auto& worker : workers_) {
      room = room && worker->generations() < Generations::kMost;
    }
    if (room) {
      return true;
    }
    std::unique_lock lock(mutex_);
    if (wake_.wait_for(lock, kPoll, [this] { return stopping_; })) {
      return false;
    }
  }
}

ReloadResult Reloader::reload() {
  const std::int64_t began = monotonic_ns();
  const auto running = options();
  ReloadResult result = attempt(*running);
  result.seconds = static_cast<double>(monotonic_ns() - began) * 1e-9;
  try {
    report(result);
  } catch (const std::bad_alloc&) {
    log_event(LogLevel::kError, "out of memory: what came of a reload is not told in full");
  }
  return result;
}

ReloadResult Reloader::attempt(const Options& running) {
  ReloadResult result;
  const auto next = read_options_(running, result.mistakes);
  return next != nullptr ? load(next) : result;
}

void Reloader::report(const ReloadResult& result) {
  if (result.ok) {
    log_event(LogLevel::kInfo, "reloaded: generation " + std::to_string(result.generation) + ", " +
                                   std::to_string(result.routes) + " routes");
  } else if (!stopping()) {
    log_event(LogLevel::kError,
              (options()->dev ? "reload failed: " : "reload failed, nothing was changed: ") + joined(result.mistakes));
    note_mistakes(result.mistakes);
    show_mistakes(result.mistakes);
  }
}

std::vector<std::unique_ptr<script::Vm>> Reloader::build(const Options& options,
                                                         std::vector<std::string>& mistakes) const {
  std::vector<std::unique_ptr<script::Vm>> vms;
  const int count = static_cast<int>(workers_.size());
  std::optional<Watchdog::Watch> watched;
  if (watchdog_ != nullptr) {
    watched.emplace(*watchdog_, Watchdog::Clock::kWall);
  }
  const std::int64_t begun = monotonic_ns();
  for (int i = 0; i < count; ++i) {
    script::VmSettings settings = vm_settings(options, i, count);
    settings.limits.load_left = settings.limits.load - (monotonic_ns() - begun);
    settings.meter = &workers_[static_cast<std::size_t>(i)]->vm_meter();
    auto vm = script::Vm::load(settings, mistakes);
    if (vm == nullptr) {
      break;  // one worker's mistakes are every worker's
    }
    vms.push_back(std::move(vm));
  }
  return vms;
}

void Reloader::note_mistakes(const std::vector<std::string>& mistakes) {
  for (const std::string& mistake : mistakes) {
    if (errors_ != nullptr) {
      errors_->note({mistake, "", "", "reload"});
    }
  }
}

// In development: an app of ours that answers everything with what is wrong.
void Reloader::show_mistakes(const std::vector<std::string>& mistakes) {
  const auto running = options();
  if (!running->dev || !wait_for_room()) {
    return;
  }
  auto broken = std::make_shared<Options>(*running);
  broken->app = "embedded:perigee.broken";
  broken->app_config = "{\"mistakes\":[";
  for (const std::string& mistake : mistakes) {
    broken->app_config += broken->app_config.back() == '[' ? "" : ",";
    append_json_string(broken->app_config, mistake);
  }
  broken->app_config += "]}";
  if (const ReloadResult shown = switch_to(broken); !shown.ok && !stopping()) {
    log_event(LogLevel::kError, "the page of mistakes does not load: " + joined(shown.mistakes));
  }
}

ReloadResult Reloader::load(const std::shared_ptr<const Options>& options) {
  ReloadResult result = switch_to(options);
  if (result.ok) {
    result.options = options;
    const std::lock_guard lock(mutex_);
    options_ = options;
  }
  return result;
}

// Builds the VMs that `options` ask for, and has every worker serve by them.
ReloadResult Reloader::switch_to(const std::shared_ptr<const Options>& options) {
  ReloadResult result;
  auto vms = build(*options, result.mistakes);
  if (stopping()) {
    result.mistakes.emplace_back(kStopping);
  }
  if (!result.mistakes.empty()) {
    return result;
  }
  result.routes = vms.front()->routes().size();
  std::string routes = vms.front()->description("routes_json");
  std::string openapi = vms.front()->description("openapi_json");
  ++generation_;
  try {
    start_hooks(std::move(vms), *options, result.mistakes);
  } catch (const std::bad_alloc&) {
    take_back();
    throw;
  }
  if (!result.mistakes.empty()) {
    take_back();
    return result;
  }
  // From here on there is no way back, and nothing may fail.
  for (const auto& worker : workers_) {
    if (!insist([&] { worker->activate(generation_, options); })) {
      log_event(LogLevel::kError, "out of memory: a worker goes on with the version of the app that it has");
    }
  }
  result.ok = true;
  result.generation = generation_;
  const std::lock_guard lock(mutex_);
  routes_json_ = std::move(routes);
  openapi_json_ = std::move(openapi);
  return result;
}

// What was prepared on the workers is not used.
void Reloader::take_back() {
  for (const auto& worker : workers_) {
    if (!insist([&] { worker->discard(generation_); })) {
      log_event(LogLevel::kError, "out of memory: a version of the app that failed stays on a worker");
    }
  }
}

void Reloader::start_hooks(std::vector<std::unique_ptr<script::Vm>> vms, const Options& options,
                           std::vector<std::string>& mistakes) {
  auto answers = std::make_shared<Answers>();
  answers->missing = workers_.size();
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    workers_[i]->prepare(std::move(vms[i]), generation_, [answers](const std::string& error) {
      const std::lock_guard lock(answers->mutex);
      --answers->missing;
      if (!error.empty()) {
        answers->errors.push_back("app:start: " + error);
      }
      answers->arrived.notify_all();
    });
  }
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::duration<double>(options.reload_timeout);
  std::unique_lock lock(answers->mutex);
  const auto settled = [&] { return answers->missing == 0 || !answers->errors.empty(); };
  while (!answers->arrived.wait_for(lock, kPoll, settled) && std::chrono::steady_clock::now() < deadline) {
    if (stopping()) {
      mistakes.emplace_back(kStopping);
      return;
    }
  }
  if (!answers->errors.empty()) {
    mistakes.push_back(answers->errors.front());
  } else if (!settled()) {
    mistakes.push_back("app:start did not end within " + std::to_string(static_cast<int>(options.reload_timeout)) +
                       " s (server.reload_timeout)");
  }
}

}  // namespace perigee::server
