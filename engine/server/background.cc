#include "server/background.h"

#include <algorithm>
#include <exception>
#include <new>
#include <thread>
#include <utility>

#include "base/insist.h"
#include "base/log.h"
#include "base/pulse.h"

namespace perigee::server {
namespace {

constexpr int kFirstNumber = 100;  // of a lane, beside the workers' in logs and profiles

std::size_t lanes_of(const Options& options) {
  const auto wanted = static_cast<std::size_t>(options.background_threads);
  return wanted > 0 ? wanted : std::max(1U, std::thread::hardware_concurrency());
}

// What an outcome begins with when the job was not run to its end (lua/perigee/run.lua).
constexpr const char* kFailed = "e";
constexpr std::string_view kNoMemory = "out of memory";  // short enough for a string to hold it in place

std::string failure_of(std::string_view error) {
  std::string text = kFailed;
  try {
    text.append(error);
  } catch (const std::bad_alloc&) {
    text.append(kNoMemory);
  }
  return text;
}

}  // namespace

Background::Background(Worker::Setup setup, const Options& options)
    : setup_(std::move(setup)),
      most_lanes_(lanes_of(options)),
      capacity_(static_cast<std::size_t>(options.background_queue)),
      options_(setup_.options) {}

void Background::apply(std::shared_ptr<const Options> options) {
  const std::lock_guard lock(mutex_);
  capacity_ = static_cast<std::size_t>(options->background_queue);
  options_ = std::move(options);
}

bool Background::submit(const std::shared_ptr<script::Job>& job, const script::Vm& vm) {
  const std::lock_guard lock(mutex_);
  if (stopped_) {
    return false;
  }
  if (vm.number() > newest_) {
    settings_ = vm.settings();
    newest_ = vm.number();
  }
  if (Lane* lane = free_lane(); lane != nullptr) {
    begin(*lane, job);
    return true;
  }
  if (lanes_.empty() || waiting_.size() >= capacity_) {
    return false;
  }
  waiting_.push_back(job);
  return true;
}

// An idle thread, or a new one; null where there is none. REQUIRES: the mutex is held.
Background::Lane* Background::free_lane() {
  const auto idle = std::find_if(lanes_.begin(), lanes_.end(), [](const auto& lane) { return lane->job == nullptr; });
  if (idle != lanes_.end()) {
    return idle->get();
  }
  return lanes_.size() < most_lanes_ ? add_lane() : nullptr;
}

Background::Lane* Background::add_lane() {
  Worker::Setup setup = setup_;
  setup.number = kFirstNumber + static_cast<int>(lanes_.size());
  setup.count = static_cast<int>(most_lanes_);
  setup.options = options_;
  setup.background = true;
  auto lane = std::make_unique<Lane>();
  try {
    lane->worker = std::make_unique<Worker>(std::move(setup));
    lane->worker->start();
  } catch (const std::exception& failure) {  // no thread, descriptors or memory
    log_event(LogLevel::kError, std::string("no thread for perigee.run: ") + failure.what());
    return nullptr;
  }
  lanes_.push_back(std::move(lane));
  return lanes_.back().get();
}

// REQUIRES: the mutex is held, the lane is idle.
void Background::begin(Lane& lane, const std::shared_ptr<script::Job>& job) {
  lane.worker->executor().post([this, &lane, job] { run(lane, job); });
  lane.job = job;  // last: above memory may end
}

// The lane's thread, as all below but cancel() and stop().
void Background::run(Lane& lane, const std::shared_ptr<script::Job>& job) try {
  if (stopping()) {
    return;
  }
  if (!job->ticket.wanted()) {
    finish(lane, job, "");
    return;
  }
  if (lane.vm_number < job->asker) {
    if (const std::string mistakes = renew(lane); !mistakes.empty()) {
      finish(lane, job, mistakes);
      return;
    }
  }
  // Behind what makes the new VM the one that serves.
  lane.worker->executor().post([this, &lane, job] { perform(lane, job); });
} catch (const std::bad_alloc&) {
  finish(lane, job, kNoMemory);
}

void Background::perform(Lane& lane, const std::shared_ptr<script::Job>& job) try {
  if (!stopping()) {
    lane.worker->run_job(*job, [this, &lane, job](const std::string& error) { finish(lane, job, error); });
  }
} catch (const std::bad_alloc&) {
  finish(lane, job, kNoMemory);
}

bool Background::stopping() {
  const std::lock_guard lock(mutex_);
  return stopped_;
}

// Gives the lane a VM like the newest asker's: "", or the mistakes.
std::string Background::renew(Lane& lane) {
  script::VmSettings settings;
  std::shared_ptr<const Options> options;
  {
    const std::lock_guard lock(mutex_);
    settings = settings_;
    options = options_;
    const auto self = std::find_if(lanes_.begin(), lanes_.end(), [&](const auto& one) { return one.get() == &lane; });
    settings.worker_id = static_cast<int>(self - lanes_.begin());
  }
  settings.app_path = "background:" + settings.app_path;
  settings.worker_count = static_cast<int>(most_lanes_);
  settings.meter = nullptr;
  settings.development = false;
  settings.limits.load_left = settings.limits.load;
  std::vector<std::string> mistakes;
  auto vm = script::Vm::load(settings, mistakes);
  if (vm == nullptr) {
    return "the background VM does not load: " + mistakes.front();
  }
  lane.vm_number = vm->number();
  lane.worker->prepare(std::move(vm), ++lane.generation, [](const std::string&) {});
  lane.worker->activate(lane.generation, options);
  return "";
}

// Its job has ended, or could not be run: `error`. The next begins. Not again for a job whose end ran out of memory.
void Background::finish(Lane& lane, const std::shared_ptr<script::Job>& job, std::string_view error) {
  {
    const std::lock_guard lock(mutex_);
    if (lane.job != job) {
      return;
    }
    lane.job = nullptr;
    pulse.stop.store(false, std::memory_order_relaxed);
  }
  if (job->ticket.wanted()) {
    job->ticket.deliver(error.empty() ? std::move(job->outcome) : failure_of(error));
  }
  if (!insist([&] { begin_next(lane); })) {
    log_event(LogLevel::kError, "out of memory: a call of perigee.run waits for the next to end");
  }
}

void Background::begin_next(Lane& lane) {
  const std::lock_guard lock(mutex_);
  if (!stopped_ && lane.job == nullptr && !waiting_.empty()) {
    begin(lane, waiting_.front());
    waiting_.pop_front();
  }
}

void Background::cancel(const std::shared_ptr<script::Job>& job) {
  const std::lock_guard lock(mutex_);
  if (stopped_ || std::erase(waiting_, job) > 0) {
    return;
  }
  const auto found = std::find_if(lanes_.begin(), lanes_.end(), [&](const auto& lane) { return lane->job == job; });
  if (found == lanes_.end()) {
    return;
  }
  Lane& lane = **found;
  lane.worker->interrupt();                          // where it computes
  lane.worker->executor().post([this, &lane, job] {  // where it waits
    {
      const std::lock_guard inner(mutex_);
      if (lane.job != job || job->task == nullptr) {
        return;
      }
    }
    if (job->task->view.serial == job->serial) {
      job->task->vm.cancel(*job->task, script::CancelReason::kRequested);
    }
  });
}

void Background::stop() {
  std::vector<std::unique_ptr<Lane>> lanes;
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    waiting_.clear();
    for (const auto& lane : lanes_) {
      lane->worker->interrupt();
    }
  }
  for (const auto& lane : lanes_) {
    lane->worker->stop();
  }
  const std::lock_guard lock(mutex_);
  lanes.swap(lanes_);
}

}  // namespace perigee::server
