#include "server/worker_survey.h"

#include <utility>

namespace perigee::server {

WorkerSurvey::WorkerSurvey(net::EventLoop& loop, const std::vector<std::unique_ptr<Worker>>& workers)
    : loop_(loop), workers_(workers), patience_(*this) {}

void WorkerSurvey::request(Done done) {
  waiting_.push_back(std::move(done));
  if (waiting_.size() > 1) {
    return;
  }
  ++round_;
  seen_.resize(workers_.size());
  missing_ = workers_.size();
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    seen_[i].answered = false;
    workers_[i]->look([this, i, round = round_](const WorkerState& state) {
      loop_.post([this, i, round, state] { take(i, round, state); });
    });
  }
  loop_.timers().add(patience_, monotonic_ms() + kPatience);
}

void WorkerSurvey::take(std::size_t worker, std::uint64_t round, WorkerState state) {
  seen_[worker].state = std::move(state);
  if (round != round_ || seen_[worker].answered) {
    return;  // the answer to an earlier survey
  }
  seen_[worker].answered = true;
  if (--missing_ == 0) {
    finish();
  }
}

void WorkerSurvey::finish() {
  patience_.cancel();
  ++round_;  // what comes from here on is late
  for (const Done& done : std::exchange(waiting_, {})) {
    done(seen_);
  }
}

}  // namespace perigee::server
