#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "profiler/profile.h"
#include "profiler/script_names.h"
#include "profiler/symbols.h"
#include "profiler/thread_sampler.h"
#include "profiler/wait_sites.h"

namespace perigee::profiler {

/// A sample with all that is known of it but the names of native functions.
struct TakenSample {
  enum class What : std::uint8_t { kInterruption, kAllocation, kWait, kStop };

  RawSample raw{};
  std::vector<ScriptPlace> places;   ///< the innermost first
  std::optional<ScriptPlace> trace;  ///< where the trace starts that was found running
  std::string route;                 ///< empty for none
  int worker = 0;                    ///< from 0; -1 is the admin port's
  What what = What::kInterruption;
  WaitSite site;           ///< of a wait
  bool long_stop = false;  ///< of a stop: StopObserver::kLong or more
  std::int64_t began = 0;  ///< of a wait, monotonic nanoseconds
  std::int64_t ended = 0;  ///< 0: it is no wait
};

/// Turns samples into a profile's stacks: native addresses into functions, places into the script's lines, and what the
/// VM was doing into a frame of its own where it is no work of a line. What is waited for, and a function in C that
/// allocates, carry the place of the line that called it. One thread at a time.
class StackNames {
 public:
  /// Adds a sample to a profile whose types are a count and an amount.
  void add(Profile& profile, const TakenSample& sample);

 private:
  void add_places(Profile& profile, std::span<const ScriptPlace> places);
  void add_late(Profile& profile, const TakenSample& sample);
  void add_state(Profile& profile, const TakenSample& sample);
  void add_stop(Profile& profile, const TakenSample& sample, Profile::Labels& labels);
  void add_allocation(Profile& profile, const TakenSample& sample);
  void add_wait(Profile& profile, const TakenSample& sample, Profile::Labels& labels);
  void add_script(Profile& profile, const TakenSample& sample, Profile::Labels& labels);
  void add_native(Profile& profile, const RawSample& sample, std::size_t from, std::size_t to);

  Symbols symbols_;
  ScriptNames script_names_;
  std::vector<std::uint32_t> stack_;  // of the sample being added
};

/// The word for a VM's state in a sample's label "state": "interpreted", "compiled", "native", "gc",
/// "compiler" or "unknown".
[[nodiscard]] std::string_view state_word(std::int32_t vm_state);

/// A place as a frame, under the name by which it was called: "=[C]" is a builtin, "@file" a script's file.
[[nodiscard]] Frame frame_of(const ScriptPlace& place);

}  // namespace perigee::profiler
