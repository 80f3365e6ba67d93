#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "profiler/profile.h"

namespace perigee::profiler {

/// Names the functions of this process by its symbols and line tables. Slow at the first use of each file (it reads
/// them), then kept. One thread at a time.
class Symbols {
 public:
  Symbols();
  ~Symbols();
  Symbols(const Symbols&) = delete;
  Symbols& operator=(const Symbols&) = delete;

  /// The functions at a code address, the innermost inlined one first; none where there is no symbol, as in code that
  /// was compiled at run time. For a return address pass the address before it.
  [[nodiscard]] const std::vector<Frame>& at(std::uintptr_t pc);

 private:
  [[nodiscard]] std::vector<Frame> find(std::uintptr_t pc) const;

  void* state_;  // libbacktrace's, which is never given back
  std::unordered_map<std::uintptr_t, std::vector<Frame>> known_;
};

/// A C++ name as people say it: demangled, without parameters, template arguments and "[clone ...]"; as it is where it
/// is no C++ name.
[[nodiscard]] std::string plain_name(const std::string& symbol);

}  // namespace perigee::profiler
