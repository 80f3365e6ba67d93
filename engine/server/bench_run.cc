#include "server/bench_run.h"

#include <algorithm>
#include <chrono>
#include <sstream>
#include <utility>

#include "base/escape.h"
#include "server/interruption.h"

namespace perigee::server {

// Seconds that one run of a benchmark may take.
double BenchRun::time_limit() const {
  constexpr double kUsual = 60;
  const BenchFlags& flags = setup_.command.bench;
  return flags.time_limit > 0 ? flags.time_limit : std::max(kUsual, 5 * flags.seconds);
}

std::string BenchRun::program_config(std::size_t lane) const {
  std::string json = "{\"file\":";
  append_json_string(json, file_);
  json += ",\"filter\":";
  append_json_string(json, setup_.command.test.filter);
  return json + ",\"lane\":" + std::to_string(lane) + ",\"lanes\":" + std::to_string(lanes_->count()) +
         ",\"count\":" + std::to_string(setup_.command.bench.count) +
         ",\"seconds\":" + std::to_string(setup_.command.bench.seconds) +
         ",\"time_limit\":" + std::to_string(time_limit()) + "}";
}

BenchLanes::Events BenchRun::events() {
  BenchLanes::Events events;
  events.on_progress = [this](std::string_view name, double n, int rounds) {
    setup_.printer.progress(name, n, rounds);
  };
  events.on_result = [this](const script::TestDesk::Measured& measured) { setup_.printer.result(measured); };
  events.on_failure = [this](std::string_view name, std::string_view message) {
    setup_.printer.failure("Benchmark" + std::string(name), std::string(message));
  };
  return events;
}

void BenchRun::begin_lane(std::size_t lane) {
  SpecRun::Settings settings;
  settings.file = file_;
  settings.program = "perigee.test.bench_run";
  settings.json = program_config(lane);
  settings.options = setup_.options;
  settings.desk.config_path = setup_.command.config_path;
  settings.desk.sets = setup_.command.sets;
  settings.desk.time_limit = time_limit();
  settings.desk.watchdog = &watchdog_;
  settings.desk.count_allocations = true;
  settings.desk.recorder = setup_.recorder;
  settings.desk.lanes = lanes_;
  settings.desk.lane = static_cast<int>(lane);
  settings.desk.on_begin = [this](std::string_view name, std::string_view place) {
    setup_.record.begin(file_, name, place);
  };
  settings.desk.on_outcome = [](const script::TestDesk::Outcome&) {};
  running_.push_back(std::make_unique<SpecRun>(std::move(settings), [this] {
    const std::lock_guard lock(mutex_);
    lanes_->leave();
    changed_.notify_one();
  }));
}

bool BenchRun::all_finished() const {
  return std::all_of(running_.begin(), running_.end(), [](const auto& run) { return run->finished(); });
}

// Whether a benchmark does not end and can't be stopped.
bool BenchRun::is_stuck() {
  for (const auto& run : running_) {
    if (!run->finished() && run->watch() == SpecRun::Patience::kGone) {
      const std::string& name = run->running().name;
      std::ostringstream why;
      why << run->running().place << ": did not end within " << time_limit() << " s (--timeout) and can't be stopped";
      setup_.printer.failure(name.empty() ? file_ : "Benchmark" + name, why.str());
      return true;
    }
  }
  return false;
}

BenchRun::End BenchRun::run() {
  constexpr auto kLook = std::chrono::milliseconds(50);
  lanes_ = std::make_shared<BenchLanes>(static_cast<int>(setup_.lanes), events());
  setup_.record.begin(file_, "", file_);
  for (std::size_t lane = 0; lane < setup_.lanes; ++lane) {
    begin_lane(lane);
  }
  for (std::unique_lock lock(mutex_); !changed_.wait_for(lock, kLook, [this] { return all_finished(); });) {
    if (is_stuck()) {
      return End::kStuck;
    }
    if (Interruption::caught() != 0) {
      return End::kInterrupted;
    }
  }
  for (const auto& run : running_) {
    if (const std::string error = run->error(); !error.empty()) {
      setup_.printer.failure(file_, error.substr(0, error.find("\nstack traceback:\n\t[C]")));
    }
  }
  setup_.record.file_done(file_);
  return End::kWell;
}

}  // namespace perigee::server
