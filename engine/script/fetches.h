#pragma once

#include <map>
#include <memory>
#include <string_view>

#include "state/flights.h"

namespace perigee::script {

class Task;

/// The part that one VM's tasks take in what is computed once for all workers (state/flights.h). Worker's thread only.
class Fetches {
 public:
  using Role = state::Flights::Role;

  explicit Fetches(state::Flights& flights) : flights_(flights) {}
  /// Gives up whatever the VM's tasks computed or waited for.
  ~Fetches() { flights_.leave(this); }
  Fetches(const Fetches&) = delete;
  Fetches& operator=(const Fetches&) = delete;

  /// Has `task` take part in the computation called `name`. kWaits: it is woken when take_result() has something.
  [[nodiscard]] Role join(Task& task, std::string_view name);
  void land(const Task& task, std::string_view name, const state::Flights::Result& result);
  /// What the task waited for; null while it is not there. Once.
  [[nodiscard]] state::Flights::Shared take_result(const Task& task);
  /// The task has ended, or given up.
  void leave(const Task& task);

 private:
  [[nodiscard]] state::Flights::Member member(const Task& task) const;

  state::Flights& flights_;
  std::map<double, state::Flights::Shared> results_;  // by the serial of a task
  std::shared_ptr<bool> life_ = std::make_shared<bool>(true);
};

}  // namespace perigee::script
