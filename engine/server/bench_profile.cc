#include "server/bench_profile.h"

#include <cstdio>
#include <utility>

#include "script/probe.h"
#include "script/safepoint.h"
#include "script/safepoint_gaps.h"
#include "server/command_options.h"
#include "server/profile_command.h"
#include "server/profile_desk.h"
#include "server/written_file.h"

namespace perigee::server {
namespace {

constexpr double kLongest = 7 * 86400;  // seconds that benches may take
constexpr int kHertz = 499;             // not in step with what happens every few milliseconds

bool write(const std::string& file, const std::string& text) {
  const auto written = write_file(file, text);
  if (!written) {
    print_mistake(written.error().message);
  }
  return written.has_value();
}

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
  if (!write(file, "")) {  // better now than after the benches
    return false;
  }
  const auto form = is_folded_name(file) ? ProfileRequest::Form::kFolded : ProfileRequest::Form::kPprof;
  auto written = std::make_shared<std::promise<std::string>>();
  recordings_.push_back({file, 0, written->get_future()});
  const auto number = recorder_->record(kind, kLongest, kHertz, [written, form](const profiler::Profile& profile) {
    written->set_value(write_profile(profile, form));
  });
  if (!number) {
    std::fprintf(stderr, "perigee: nothing can be recorded: %s\n", number.error().message.c_str());
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
      std::fprintf(stderr, "perigee: %s: %s\n", recording.file.c_str(), text.c_str() + 1);
      all = false;
    } else {
      all = write(recording.file, text) && all;
    }
  }
  return all;
}

}  // namespace perigee::server
