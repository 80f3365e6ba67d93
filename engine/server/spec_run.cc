#include "server/spec_run.h"

#include <utility>

#include "server/spec_log.h"
#include "server/vm_settings.h"

namespace perigee::server {
namespace {

constexpr Milliseconds kGrace = 200;       // between cancelling what waits and stopping what computes
constexpr Milliseconds kLastWords = 2000;  // between that and giving the file up

}  // namespace

SpecRun::SpecRun(Settings settings, std::function<void()> on_change)
    : settings_(std::move(settings)), on_change_(std::move(on_change)), desk_(settings_.desk) {
  script::VmSettings vm_options = vm_settings(*settings_.options, 0, 1);
  vm_options.app_path = "embedded:" + settings_.program;
  vm_options.config_json = settings_.json;
  vm_options.tests = true;
  vm_options.development = false;
  vm_options.limits.load = vm_options.limits.load_left = script::nanoseconds_limit(settings_.desk.time_limit);
  vm_options.limits.load_option = "--timeout";
  vm_options.coverage = settings_.desk.coverage;
  vm_options.allocations = desk_.tally();
  std::vector<std::string> mistakes;
  auto vm = script::Vm::load(vm_options, mistakes);
  if (vm == nullptr) {
    end(mistakes.front());
    return;
  }
  Worker::Setup setup;
  setup.options = settings_.options;
  setup.limits = &state_.limits;
  setup.rates = &state_.rates;
  setup.shared = &state_.shared;
  setup.errors = &state_.errors;
  setup.topics = &state_.topics;
  setup.helpers = &helpers_;
  setup.sessions = &state_.sessions;
  setup.route_names = &state_.route_names;
  setup.watchdog = settings_.desk.watchdog;
  setup.desk = &desk_;
  setup.recorder = settings_.desk.recorder;
  setup.number = settings_.desk.lane;
  worker_ = std::make_unique<Worker>(std::move(setup));
  worker_->start();
  worker_->prepare(std::move(vm), 1, [this](const std::string& error) {
    const Result<> closed = desk_.close_all();
    SpecLog::collect(nullptr);
    end(error.empty() && !closed ? closed.error().message : error);
  });
}

SpecRun::~SpecRun() {
  helpers_.stop();
  worker_.reset();
}

void SpecRun::end(const std::string& error) {
  {
    const std::lock_guard lock(mutex_);
    finished_ = true;
    error_ = error;
  }
  on_change_();
}

bool SpecRun::finished() const {
  const std::lock_guard lock(mutex_);
  return finished_;
}

std::string SpecRun::error() const {
  const std::lock_guard lock(mutex_);
  return error_;
}

SpecRun::Patience SpecRun::watch() {
  running_ = desk_.look();
  const Milliseconds limit = milliseconds(settings_.desk.time_limit);
  const Milliseconds late = running_.spent - limit;
  if (late < 0 || worker_ == nullptr) {
    return Patience::kLeft;
  }
  if (cancelled_ != running_.number) {
    cancelled_ = running_.number;
    desk_.end_time(cancelled_, [this] { worker_->cancel_tasks(script::CancelReason::kTimeLimit); });
  } else if (late >= kGrace) {
    desk_.interrupt(cancelled_, *worker_);
  }
  return late < limit + kGrace + kLastWords ? Patience::kCancelled : Patience::kGone;
}

}  // namespace perigee::server
