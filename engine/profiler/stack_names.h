#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "profiler/profile.h"
#include "profiler/script_names.h"
#include "profiler/symbols.h"
#include "profiler/thread_sampler.h"

namespace perigee::profiler {

/// A sample with all that is known of it but the names of native functions.
struct TakenSample {
  RawSample raw;
  std::vector<ScriptPlace> places;  ///< the innermost first
  std::string route;                ///< empty for none
  int worker = 0;                   ///< from 0; -1 is the admin port's
};

/// Turns samples into a profile's stacks: native addresses into functions, places into the script's lines, and what the
/// VM was doing into a frame of its own where it is no work of a line. One thread at a time.
class StackNames {
 public:
  /// Adds a sample to a profile whose types are a count and nanoseconds.
  void add(Profile& profile, const TakenSample& sample);

 private:
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
