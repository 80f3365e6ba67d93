#include "profiler/stack_names.h"

#include <string>

namespace perigee::profiler {

namespace {

constexpr std::string_view kPrefix = "perigee::";

// The script's machine has few symbols and many static functions: the nearest one would be a lie.
bool is_machine(const Frame& frame) {
  return frame.name.starts_with("lj_") || frame.name.starts_with("luaJIT_");
}

std::string short_name(const std::string& name) {
  return name.starts_with(kPrefix) ? name.substr(kPrefix.size()) : name;
}

}  // namespace

std::string_view state_word(std::int32_t vm_state) {
  if (vm_state >= 0) {
    return vm_state > 0 ? "compiled" : "unknown";
  }
  switch (vm_state) {
    case VmProbe::kInterpreted:
      return "interpreted";
    case VmProbe::kNativeFunction:
      return "native";
    case VmProbe::kCollector:
      return "gc";
    default:
      return "compiler";
  }
}

Frame frame_of(const ScriptPlace& place) {
  Frame frame{place.name, "", place.line, place.first_line, FrameKind::kLua};
  if (place.source == "=[C]") {
    frame.kind = FrameKind::kBuiltin;
    frame.line = frame.first_line = 0;
  } else {
    frame.file = place.source.starts_with('@') || place.source.starts_with('=') ? place.source.substr(1) : place.source;
  }
  return frame;
}

void StackNames::add_native(Profile& profile, const RawSample& sample, std::size_t from, std::size_t to) {
  for (std::size_t at = from; at < to; ++at) {
    const bool is_exact = at == 0 || (sample.in_script && at == sample.inner);
    for (Frame frame : symbols_.at(sample.code[at] - (is_exact ? 0 : 1))) {
      if (!is_machine(frame)) {
        frame.name = short_name(frame.name);
        stack_.push_back(profile.frame(frame));
      }
    }
  }
}

// What the VM did, where that is no work of a line; then the script's own stack.
void StackNames::add_script(Profile& profile, const TakenSample& sample, Profile::Labels& labels) {
  const std::int32_t state = sample.raw.vm_state;
  labels.push_back({"state", std::string(state_word(state))});
  if (state > 0) {
    labels.push_back({"trace", std::to_string(state)});
  } else if (state == VmProbe::kCollector) {
    stack_.push_back(profile.frame({"[garbage collection]", "", 0, 0, FrameKind::kState}));
  } else if (state < VmProbe::kCollector) {
    stack_.push_back(profile.frame({"[JIT compiler]", "", 0, 0, FrameKind::kState}));
  }
  if (state > 0 || state == VmProbe::kNativeFunction) {
    add_native(profile, sample.raw, 0, sample.raw.inner);
  }
  if (state == VmProbe::kNativeFunction) {
    stack_.push_back(profile.frame({"[native function]", "", 0, 0, FrameKind::kState}));
  }
  for (const ScriptPlace& place : sample.places) {
    Frame frame = frame_of(place);
    if (frame.kind == FrameKind::kLua) {
      frame.name = script_names_.of(place);
    }
    stack_.push_back(profile.frame(frame));
  }
}

void StackNames::add(Profile& profile, const TakenSample& sample) {
  Profile::Labels labels = {{"worker", sample.worker < 0 ? "admin" : "worker-" + std::to_string(sample.worker + 1)}};
  if (!sample.route.empty()) {
    labels.push_back({"route", sample.route});
  }
  stack_.clear();
  if (sample.raw.in_script) {
    add_script(profile, sample, labels);
  }
  add_native(profile, sample.raw, sample.raw.in_script ? sample.raw.inner : 0, sample.raw.frames);
  const std::int64_t values[] = {1, sample.raw.weight};
  profile.add(stack_, profile.labels(labels), values);
}

}  // namespace perigee::profiler
