#include "profiler/stack_names.h"

#include <catch2/catch.hpp>

#include "profiler/folded.h"
#include "sample_profile.h"

using namespace perigee::profiler;

namespace {

__attribute__((noinline)) int engine_function(int x) {
  return x + 1;
}

TakenSample script_sample(std::int32_t state) {
  TakenSample sample;
  sample.raw.in_script = true;
  sample.raw.vm_state = state;
  sample.raw.weight = 5;
  sample.raw.code[0] = reinterpret_cast<std::uintptr_t>(&engine_function);
  sample.raw.frames = 1;  // leads to the script
  sample.places = {{"=[C]", "gsub", -1, -1}, {"@app.lua", "handler", 3, 2}};
  sample.route = "GET /";
  return sample;
}

std::string folded_with(std::int32_t state) {
  Profile profile(std::vector<ValueType>{{"samples", "count"}, {"cpu", "nanoseconds"}});
  StackNames names;
  names.add(profile, script_sample(state));
  const std::string line = write_folded(profile, 1);
  return line.substr(line.find("handler"));
}

}  // namespace

TEST_CASE("stack names: native frames lead to the script's, and its builtins have no line") {
  REQUIRE(engine_function(1) == 2);
  Profile profile(std::vector<ValueType>{{"samples", "count"}, {"cpu", "nanoseconds"}});
  StackNames names;
  names.add(profile, script_sample(VmProbe::kInterpreted));
  const std::string line = write_folded(profile, 0);
  CHECK(line.find("worker-1;(anonymous namespace)::engine_function") == 0);
  CHECK(line.find(";handler app.lua:3;gsub 1\n") != std::string::npos);
  CHECK(profile.label_sets().back() ==
        Profile::Labels{{"worker", "worker-1"}, {"route", "GET /"}, {"state", "interpreted"}});
}

TEST_CASE("stack names: the collector and the compiler are frames of their own") {
  CHECK(folded_with(VmProbe::kInterpreted) == "handler app.lua:3;gsub 5\n");
  CHECK(folded_with(12) == "handler app.lua:3;gsub 5\n");
  CHECK(folded_with(VmProbe::kCollector) == "handler app.lua:3;gsub;[garbage collection] 5\n");
  CHECK(folded_with(VmProbe::kCollector - 2) == "handler app.lua:3;gsub;[JIT compiler] 5\n");
}

TEST_CASE("stack names: a native function without a name is told as one, below its line") {
  TakenSample sample = script_sample(VmProbe::kNativeFunction);
  sample.raw.inner = sample.raw.frames;  // what runs was entered by the script
  sample.places.erase(sample.places.begin());
  Profile profile(std::vector<ValueType>{{"samples", "count"}, {"cpu", "nanoseconds"}});
  StackNames names;
  names.add(profile, sample);
  CHECK(write_folded(profile, 0)
            .find("worker-1;handler app.lua:3;[native function];(anonymous namespace)::engine_function") == 0);
}

TEST_CASE("stack names: states have words") {
  CHECK(state_word(3) == "compiled");
  CHECK(state_word(VmProbe::kInterpreted) == "interpreted");
  CHECK(state_word(VmProbe::kNativeFunction) == "native");
  CHECK(state_word(VmProbe::kCollector) == "gc");
  CHECK(state_word(VmProbe::kCollector - 1) == "compiler");
}

TEST_CASE("stack names: a chunk without a file keeps its name") {
  CHECK(frame_of({"=(load)", "f", 1, 1}).file == "(load)");
  CHECK(frame_of({"return 1", "f", 1, 1}).file == "return 1");
  CHECK(frame_of({"@a.lua", "f", 1, 1}).kind == FrameKind::kLua);
}

TEST_CASE("stack names: what stands around a handler is named by its route, whatever its line") {
  TakenSample sample = script_sample(VmProbe::kInterpreted);
  sample.places = {{"=(route lua/app.lua:57)", "", 7, 3}};
  Profile profile(std::vector<ValueType>{{"samples", "count"}, {"cpu", "nanoseconds"}});
  StackNames names;
  names.add(profile, sample);
  CHECK(write_folded(profile, 1).find(";(route lua/app.lua:57) 5\n") != std::string::npos);
}

TEST_CASE("stack names: what a function in C allocates has the place of the line that called it") {
  TakenSample sample = script_sample(VmProbe::kNativeFunction);
  sample.what = TakenSample::What::kAllocation;
  Profile profile(std::vector<ValueType>{{"alloc_objects", "count"}, {"alloc_space", "bytes"}});
  StackNames names;
  names.add(profile, sample);
  const std::string line = write_folded(profile, 1);
  CHECK(line.find(";handler app.lua:3;gsub app.lua:3 5\n") != std::string::npos);
}

TEST_CASE("stack names: a wait is told by operation, peer and the program's line") {
  TakenSample sample;
  sample.what = TakenSample::What::kWait;
  sample.site = {"perigee.http", "a:1"};
  sample.places = {
      {"=[C]", "yield", -1, -1}, {"@lua/perigee/tasks.lua", "suspend", 9, 8}, {"@app.lua", "handler", 3, 2}};
  sample.raw.weight = 5;
  Profile profile(std::vector<ValueType>{{"waits", "count"}, {"delay", "nanoseconds"}});
  StackNames names;
  names.add(profile, sample);
  CHECK(write_folded(profile, 1) == "worker-1;handler app.lua:3;[perigee.http a:1] app.lua:3 5\n");
  CHECK(profile.label_sets().back() ==
        Profile::Labels{{"worker", "worker-1"}, {"operation", "perigee.http"}, {"peer", "a:1"}});
}

TEST_CASE("stack names: a stop in a native function is its line's, and the function a label") {
  TakenSample sample = script_sample(VmProbe::kNativeFunction);
  sample.what = TakenSample::What::kStop;
  sample.raw.inner = sample.raw.frames;
  sample.places.erase(sample.places.begin());
  Profile profile(std::vector<ValueType>{{"stops", "count"}, {"delay", "nanoseconds"}});
  StackNames names;
  names.add(profile, sample);
  CHECK(write_folded(profile, 1) == "worker-1;handler app.lua:3 5\n");
  CHECK(profile.label_sets().back().back() == Label{"in", "(anonymous namespace)::engine_function"});
}

TEST_CASE("stack names: a stop says whether it was long, and where it is not known yet that it lasts") {
  TakenSample sample;
  sample.what = TakenSample::What::kStop;
  sample.long_stop = true;
  sample.raw.weight = 5;
  Profile profile(std::vector<ValueType>{{"stops", "count"}, {"delay", "nanoseconds"}});
  StackNames names;
  names.add(profile, sample);
  CHECK(write_folded(profile, 1) == "worker-1;[it is not over yet] 5\n");
  CHECK(profile.label_sets().back() == Profile::Labels{{"worker", "worker-1"}, {"stop", "50 ms or more"}});
}

TEST_CASE("stack names: a trace that the stack comes late for is its start, below the callers that are sure") {
  TakenSample sample = script_sample(12);
  sample.raw.late = true;
  sample.trace = {"@app.lua", "count", 5, 2};
  sample.places = {{"@lib.lua", "helper", 9, 8}, {"@app.lua", "count", 7, 2}, {"@app.lua", "main", 30, 20}};
  const auto folded = [&] {
    Profile profile(std::vector<ValueType>{{"samples", "count"}, {"cpu", "nanoseconds"}});
    StackNames names;
    names.add(profile, sample);
    CHECK(profile.label_sets().back().back() == Label{"trace", "12"});
    const std::string line = write_folded(profile, 1);
    return line.substr(line.find(';', line.find("engine_function")) + 1);
  };
  CHECK(folded() == "main app.lua:30;count [trace] app.lua:5 5\n");
  sample.places.erase(sample.places.begin(), sample.places.begin() + 2);
  CHECK(folded() == "count [trace] app.lua:5 5\n");
  sample.trace.reset();
  CHECK(folded() == "main app.lua:30;[compiled code] 5\n");
}

TEST_CASE("stack names: what a trace allocates, and holds up, is its start's too") {
  for (const auto what : {TakenSample::What::kAllocation, TakenSample::What::kStop}) {
    TakenSample sample = script_sample(12);
    sample.what = what;
    sample.raw.late = true;
    sample.trace = {"@app.lua", "count", 5, 2};
    Profile profile(std::vector<ValueType>{{"samples", "count"}, {"amount", "bytes"}});
    StackNames names;
    names.add(profile, sample);
    CHECK(write_folded(profile, 1).find("[trace] app.lua:5 5\n") != std::string::npos);
  }
}
