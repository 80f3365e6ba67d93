#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "script/job.h"
#include "script/vm.h"
#include "server/options.h"
#include "server/worker.h"

namespace perigee::server {

/// Runs the jobs of perigee.run on a few threads, each with a VM of its own: workers that no client connects to. A
/// thread starts when a job finds all others busy; a VM is loaded when a job wants one, and anew when the job's asker
/// is of a newer version of the app. A VM runs one job at a time. Any thread.
class Background final : public script::JobDesk {
 public:
  /// `setup` is what its workers share with the others.
  Background(Worker::Setup setup, const Options& options);
  ~Background() override { stop(); }
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  /// Takes up options that have changed.
  void apply(std::shared_ptr<const Options> options);

  [[nodiscard]] bool submit(const std::shared_ptr<script::Job>& job, const script::Vm& vm) override;
  void cancel(const std::shared_ptr<script::Job>& job) override;

  /// Drops what has not begun, stops what has, and joins the threads. From then on no job is taken, and none is
  /// answered.
  void stop();

 private:
  struct Lane {
    std::unique_ptr<Worker> worker;
    std::shared_ptr<script::Job> job;  // guarded by mutex_; null: idle
    // The lane's thread's.
    std::uint64_t vm_number = 0;
    std::uint64_t generation = 0;
  };

  [[nodiscard]] Lane* free_lane();
  [[nodiscard]] Lane* add_lane();
  void begin(Lane& lane, const std::shared_ptr<script::Job>& job);
  void run(Lane& lane, const std::shared_ptr<script::Job>& job);
  void perform(Lane& lane, const std::shared_ptr<script::Job>& job);
  [[nodiscard]] std::string renew(Lane& lane);
  [[nodiscard]] bool stopping();
  void finish(Lane& lane, const std::shared_ptr<script::Job>& job, std::string_view error);
  void begin_next(Lane& lane);

  const Worker::Setup setup_;
  const std::size_t most_lanes_;
  std::mutex mutex_;
  // Guarded by it:
  std::size_t capacity_;
  std::shared_ptr<const Options> options_;
  script::VmSettings settings_;  // of the newest asker
  std::uint64_t newest_ = 0;     // its number
  std::deque<std::shared_ptr<script::Job>> waiting_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  bool stopped_ = false;
};

}  // namespace perigee::server
