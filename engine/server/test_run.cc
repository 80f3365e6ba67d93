#include "server/test_run.h"

#include <signal.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <random>
#include <thread>
#include <utility>

#include "base/escape.h"
#include "server/interruption.h"

namespace perigee::server {
namespace {

std::string seconds_text(double seconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", seconds);
  return text;
}

void append_json_list(std::string& json, const std::vector<std::string>& list) {
  json += '[';
  for (const std::string& text : list) {
    json += json.ends_with('[') ? "" : ",";
    append_json_string(json, text);
  }
  json += ']';
}

// What the program that runs a file is told (lua/perigee/test/run.lua).
std::string program_config(const TestFlags& flags, const std::string& file) {
  std::string json = "{\"file\":";
  append_json_string(json, file);
  json += ",\"filter\":";
  append_json_string(json, flags.filter);
  json += ",\"filter_out\":";
  append_json_string(json, flags.filter_out);
  json += ",\"tags\":";
  append_json_list(json, flags.tags);
  json += ",\"exclude_tags\":";
  append_json_list(json, flags.exclude_tags);
  return json + ",\"seed\":" + std::to_string(flags.seed) + "}";
}

}  // namespace

std::unique_ptr<SpecRun> TestRun::begin(const std::string& file) {
  SpecRun::Settings settings;
  settings.file = file;
  settings.program = "perigee.test.run";
  settings.json = program_config(command_.test, file);
  settings.options = options_;
  settings.desk.watchdog = &watchdog_;
  settings.desk.coverage = command_.test.coverage ? &coverage_ : nullptr;
  settings.desk.config_path = command_.config_path;
  settings.desk.sets = command_.sets;
  settings.desk.time_limit = command_.test.time_limit;
  record_.begin(file, "", file);
  settings.desk.on_begin = [this, file](std::string_view name, std::string_view place) {
    record_.begin(file, name, place);
  };
  settings.desk.on_outcome = [this, file](const script::TestDesk::Outcome& outcome) { add(file, outcome); };
  return std::make_unique<SpecRun>(std::move(settings), [this] {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    changed_.notify_one();
  });
}

void TestRun::add(const std::string& file, const TestReport::Outcome& outcome) {
  report_.add(file, outcome);
  record_.end(file, outcome);
}

void TestRun::end(const SpecRun& run) {
  if (const std::string error = run.error(); !error.empty()) {
    add(run.file(), {"error", "the file as a whole", run.file(), error, 0});
  }
  record_.file_done(run.file());
}

// What runs in a file and can't be stopped from here is an error: the file's other tests are lost.
void TestRun::give_up(const SpecRun& run, const std::string& why) {
  const SpecDesk::Running& test = run.running();
  add(run.file(), {"error", test.name.empty() ? "the file as a whole" : test.name,
                   test.place.empty() ? run.file() : test.place, why, static_cast<double>(test.spent) * 1e-3});
  ++given_up_;
}

// Has the file run on alone: its thread still uses what it was given.
void TestRun::leave(std::size_t i) {
  (void)running_[i].release();
  running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(i));
}

void TestRun::look_after_running() {
  for (std::size_t i = 0; i < running_.size();) {
    const int signal = Interruption::caught();
    if (running_[i]->finished()) {
      end(*running_[i]);
      running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(i));
    } else if (running_[i]->watch() == SpecRun::Patience::kGone) {
      give_up(*running_[i], "did not end within " + seconds_text(command_.test.time_limit) +
                                " seconds (--timeout) and can't be stopped: the rest of the file is given up");
      leave(i);
    } else if (signal != 0) {
      give_up(*running_[i], std::string("interrupted by ") + (signal == SIGINT ? "SIGINT" : "SIGTERM") +
                                ": the rest of the file is not run");
      leave(i);
    } else {
      ++i;
    }
  }
}

std::size_t TestRun::run(std::vector<std::string> files) {
  constexpr auto kLook = std::chrono::milliseconds(50);
  const auto jobs = static_cast<std::size_t>(
      command_.test.jobs > 0 ? command_.test.jobs : std::max(1U, std::thread::hardware_concurrency()));
  std::shuffle(files.begin(), files.end(), std::mt19937(static_cast<std::uint32_t>(command_.test.seed)));
  while ((!files.empty() && Interruption::caught() == 0) || !running_.empty()) {
    while (Interruption::caught() == 0 && !files.empty() && running_.size() < jobs) {
      running_.push_back(begin(files.back()));
      files.pop_back();
    }
    {
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, kLook, [this] { return ended_; });
      ended_ = false;
    }
    look_after_running();
  }
  return given_up_;
}

}  // namespace perigee::server
