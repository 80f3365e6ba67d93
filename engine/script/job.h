#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "script/errands.h"

namespace perigee::script {

class Task;
class Vm;

/// A call of perigee.run: a function of a module, to be run in another VM.
struct Job {
  std::string module;
  std::string function;
  std::string arguments;    ///< as TablePacker wrote them
  Errands::Ticket ticket;   ///< of the task that waits
  std::uint64_t asker = 0;  ///< Vm::number() of the VM whose task that is
  // From here on the thread's that runs it.
  Task* task = nullptr;  ///< that runs it
  double serial = 0;     ///< the task's
  std::string outcome;   ///< as lua/perigee/background.lua wrote it
};

/// Who has jobs run. Any thread.
class JobDesk {
 public:
  virtual ~JobDesk() = default;

  /// Takes a job from `vm`. False when too many wait.
  [[nodiscard]] virtual bool submit(const std::shared_ptr<Job>& job, const Vm& vm) = 0;

  /// Nobody waits for it any more: it does not begin, or is stopped.
  virtual void cancel(const std::shared_ptr<Job>& job) = 0;
};

}  // namespace perigee::script
