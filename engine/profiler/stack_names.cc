#include "profiler/stack_names.h"

#include <algorithm>
#include <string>

namespace perigee::profiler {

namespace {

constexpr std::string_view kPrefix = "perigee::";

// The script's machine has few symbols and many static functions: the nearest one would be a lie.
bool is_machine(const Frame& frame) {
  return frame.name.starts_with("lj_") || frame.name.starts_with("luaJIT_");
}

// Whether a place is Perigee's own Lua, or a function of Lua's.
bool is_library(const ScriptPlace& place) {
  return place.source.starts_with("@lua/perigee/") || place.source.starts_with('=');
}

// Whether a chunk is what the library writes around a route's handler: its name says which, its lines nothing.
bool is_around_handler(std::string_view source) {
  return source.starts_with("=(route ") || source.starts_with("=(around ");
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
  } else if (is_around_handler(place.source)) {
    frame.name = place.source.substr(1);
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

// The script's own stack, or what is left of it.
void StackNames::add_places(Profile& profile, std::span<const ScriptPlace> places) {
  for (const ScriptPlace& place : places) {
    Frame frame = frame_of(place);
    if (frame.kind == FrameKind::kLua && !frame.file.empty()) {
      frame.name = script_names_.of(place);
    }
    stack_.push_back(profile.frame(frame));
  }
}

// What the VM did, where that is no work of a line.
void StackNames::add_state(Profile& profile, const TakenSample& sample) {
  const std::int32_t state = sample.raw.vm_state;
  if (state == VmProbe::kCollector) {
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
}

// What ran is the trace; the stack is of where it came out. If that is in the function in which the trace starts, its
// callers are the trace's.
void StackNames::add_late(Profile& profile, const TakenSample& sample) {
  std::span<const ScriptPlace> places(sample.places);
  if (!sample.trace) {
    stack_.push_back(profile.frame({"[compiled code]", "", 0, 0, FrameKind::kState}));
    add_places(profile, places);
    return;
  }
  Frame frame = frame_of(*sample.trace);
  frame.name = script_names_.of(*sample.trace) + " [trace]";
  stack_.push_back(profile.frame(frame));
  const auto starts_in = [&](const ScriptPlace& place) {
    return place.source == sample.trace->source && place.first_line == sample.trace->first_line;
  };
  const auto around = std::find_if(places.begin(), places.end(), starts_in);
  if (around != places.end()) {
    add_places(profile, places.subspan(static_cast<std::size_t>(around - places.begin()) + 1));
  }
}

void StackNames::add_script(Profile& profile, const TakenSample& sample, Profile::Labels& labels) {
  const std::int32_t state = sample.raw.vm_state;
  labels.push_back({"state", std::string(state_word(state))});
  if (state > 0) {
    labels.push_back({"trace", std::to_string(state)});
  }
  if (sample.raw.late) {
    add_late(profile, sample);
    return;
  }
  if (sample.what == TakenSample::What::kAllocation) {
    add_allocation(profile, sample);
    return;
  }
  if (sample.what == TakenSample::What::kStop) {
    add_stop(profile, sample, labels);
    return;
  }
  add_state(profile, sample);
  add_places(profile, sample.places);
}

// What counts is the line that holds everything up; what it called for that is a label.
void StackNames::add_stop(Profile& profile, const TakenSample& sample, Profile::Labels& labels) {
  if (sample.raw.vm_state == VmProbe::kNativeFunction && sample.raw.inner > 0) {
    const std::vector<Frame> frames = symbols_.at(sample.raw.code[0]);
    if (!frames.empty() && !is_machine(frames.front())) {
      labels.push_back({"in", short_name(frames.front().name)});
    }
  }
  add_places(profile, sample.places);
}

void StackNames::add_allocation(Profile& profile, const TakenSample& sample) {
  std::span<const ScriptPlace> places(sample.places);
  if (places.size() > 1 && frame_of(places[0]).kind == FrameKind::kBuiltin) {
    Frame frame = frame_of(places[1]);
    frame.name = places[0].name;
    frame.kind = FrameKind::kBuiltin;
    stack_.push_back(profile.frame(frame));
    places = places.subspan(1);
  }
  add_places(profile, places);
}

// The library's own functions around a wait tell nobody anything: whose line it is does.
void StackNames::add_wait(Profile& profile, const TakenSample& sample, Profile::Labels& labels) {
  labels.push_back({"operation", sample.site.operation});
  if (!sample.site.peer.empty()) {
    labels.push_back({"peer", sample.site.peer});
  }
  std::span<const ScriptPlace> places(sample.places);
  while (places.size() > 1 && is_library(places[0])) {
    places = places.subspan(1);
  }
  Frame frame = places.empty() ? Frame{} : frame_of(places[0]);
  frame.name = "[" + sample.site.operation + (sample.site.peer.empty() ? "" : " ") + sample.site.peer + "]";
  frame.kind = FrameKind::kWait;
  stack_.push_back(profile.frame(frame));
  add_places(profile, places);
}

void StackNames::add(Profile& profile, const TakenSample& sample) {
  Profile::Labels labels = {{"worker", sample.worker < 0 ? "admin" : "worker-" + std::to_string(sample.worker + 1)}};
  if (!sample.route.empty()) {
    labels.push_back({"route", sample.route});
  }
  stack_.clear();
  if (sample.what == TakenSample::What::kStop) {
    labels.push_back({"stop", sample.long_stop ? "50 ms or more" : "shorter"});
    if (!sample.raw.in_script) {
      stack_.push_back(profile.frame({"[it is not over yet]", "", 0, 0, FrameKind::kState}));
    }
  }
  if (sample.what == TakenSample::What::kWait) {
    add_wait(profile, sample, labels);
  } else if (sample.raw.in_script) {
    add_script(profile, sample, labels);
  } else if (sample.what == TakenSample::What::kAllocation) {
    stack_.push_back(profile.frame({"[the engine]", "", 0, 0, FrameKind::kState}));
  }
  add_native(profile, sample.raw, sample.raw.in_script ? sample.raw.inner : 0, sample.raw.frames);
  if (stack_.empty()) {  // a coroutine that is being made, or has just ended
    stack_.push_back(profile.frame({"[no line]", "", 0, 0, FrameKind::kState}));
  }
  const std::int64_t values[] = {sample.raw.count, sample.raw.weight};
  profile.add(stack_, profile.labels(labels), values);
}

}  // namespace perigee::profiler
