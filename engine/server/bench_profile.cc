#include "server/bench_profile.h"

#include <utility>

#include "script/probe.h"
#include "script/safepoint.h"
#include "script/safepoint_gaps.h"
#include "server/command_output.h"
#include "server/profile_command.h"
#include "server/profile_desk.h"

namespace perigee::server {
namespace {

constexpr double kLongest = 7 * 86400;  // seconds that benches may take
constexpr int kHertz = 499;             // not in step with what happens every few milliseconds

}  // namespace

bool BenchProfiles::begin(const BenchFlags& flags) {
  if (flags.cpu_profile.empty() && flags.memory_profile.empty()) {
    return true;
  }
  script::Probe::install();
  recorder_ = std::make_unique<profiler::Recorder>([](std::int32_t) { return std::string(); });
  recorder_->remark(script::gap_remarks(script::Safepoint::calibrate()));
  return record(profiler::ProfileKind::kCpu, flags.cpu_profile) &&
         record(profiler::ProfileKind::kAlloc, flags.memory_profile);
}

bool BenchProfiles::record(profiler::ProfileKind kind, const std::string& file) {
  if (file.empty()) {
    return true;
  }
  if (file.ends_with(".html")) {
    print_mistake(file + ": benches write no page; name it .pb.gz, or .folded for text");
    return false;
  }
  if (!write_output(file, "")) {  // better now than after the benches
    return false;
  }
  const auto form = is_folded_name(file) ? ProfileRequest::Form::kFolded : ProfileRequest::Form::kPprof;
  auto written = std::make_shared<std::promise<std::string>>();
  recordings_.push_back({file, 0, written->get_future()});
  const auto number = recorder_->record(kind, kLongest, kHertz, [written, form](const profiler::Profile& profile) {
    written->set_value(write_profile(profile, form));
  });
  if (!number) {
    print_mistake("nothing can be recorded: " + number.error().message);
    return false;
  }
  recordings_.back().number = *number;
  return true;
}

bool BenchProfiles::end() {
  bool all = true;
  for (Recording& recording : recordings_) {
    recorder_->finish(recording.number);
    const std::string text = recording.written.get();
    if (text.starts_with('!')) {
      print_mistake(recording.file + ": " + text.substr(1));
      all = false;
    } else {
      all = write_output(recording.file, text) && all;
    }
  }
  return all;
}

}  // namespace perigee::server
