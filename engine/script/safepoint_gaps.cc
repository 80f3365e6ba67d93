#include "script/safepoint_gaps.h"

#include <string_view>

namespace perigee::script {
namespace {

struct Gap {
  bool Safepoint::Known::*found;
  std::string_view part;
  std::string_view profiles;  // what follows for them; empty: nothing
  std::string_view limits;    // likewise
};

constexpr Gap kGaps[] = {
    {&Safepoint::Known::interrupt, "how compiled code is brought back to the interpreter",
     "profiles charge compiled code to the line where its trace starts",
     "limits.cpu and the budgets of memory can't stop a compiled loop before it comes back by itself, nor a finalizer"},
    {&Safepoint::Known::state, "where a VM keeps what it does",
     "profiles tell neither the garbage collector nor the JIT compiler from the line that they work for",
     "a large block of memory is not refused at limits.vm_memory_most, who took it is stopped after that; "
     "perigee_lua_collecting_seconds_total stays 0"},
    {&Safepoint::Known::collector, "where a VM keeps what its garbage collector does, or which coroutine runs", "",
     "a large block of memory is not refused at limits.vm_memory_most, who took it is stopped after that"},
    {&Safepoint::Known::instruction, "where a coroutine keeps its next instruction",
     "profiles may charge interpreted code and functions in C to the line after theirs", ""},
};

std::string begin(const Gap& gap) {
  return "this LuaJIT is an unknown one, " + std::string(gap.part) + " was not found: ";
}

}  // namespace

std::vector<std::string> gap_warnings(const Safepoint::Known& known) {
  std::vector<std::string> warnings;
  for (const Gap& gap : kGaps) {
    if (!(known.*gap.found)) {
      const std::string_view between = gap.profiles.empty() || gap.limits.empty() ? "" : "; ";
      warnings.push_back(begin(gap) + std::string(gap.profiles) + std::string(between) + std::string(gap.limits));
    }
  }
  return warnings;
}

std::vector<std::string> gap_remarks(const Safepoint::Known& known) {
  std::vector<std::string> remarks;
  for (const Gap& gap : kGaps) {
    if (!(known.*gap.found) && !gap.profiles.empty()) {
      remarks.push_back(begin(gap) + std::string(gap.profiles));
    }
  }
  return remarks;
}

}  // namespace perigee::script
