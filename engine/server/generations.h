#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "server/generation.h"

namespace perigee::server {

/// The generations of one worker: the current one, one that is starting, and older ones that still serve what pinned
/// them. Worker's thread only, but for live().
class Generations {
 public:
  static constexpr std::size_t kMost = 4;
  static constexpr Milliseconds kLeftover = 1000;  ///< that spawned tasks get after the last request and the stop hooks
  static constexpr Milliseconds kGrace = 2000;     ///< between cancelling a generation's tasks and closing its VM

  using OnStopError = std::function<void(const std::string& error)>;

  /// `on_stop_error` hears of errors in stop hooks, beside the log.
  explicit Generations(OnStopError on_stop_error = nullptr) : on_stop_error_(std::move(on_stop_error)) {}

  [[nodiscard]] Generation& current() { return *current_; }
  [[nodiscard]] bool has_current() const { return current_ != nullptr; }

  /// Takes a loaded VM and runs its start hooks; `on_ready` is told "" or the error.
  void prepare(std::unique_ptr<script::Vm> vm, std::uint64_t number, script::Host& host,
               std::function<void(const std::string& error)> on_ready);

  /// Null where there is none of this number.
  [[nodiscard]] Generation* find(std::uint64_t number);

  /// Makes the prepared generation current. The one before drains until `drain_deadline`.
  void activate(std::uint64_t number, Milliseconds drain_deadline);

  /// Drops a prepared generation.
  void discard(std::uint64_t number);

  /// Closes what has drained, cancels what is over its deadline. `abandon` is called for a generation whose tasks did
  /// not end even so: its visits must be closed before it returns. True while some generation is on its way out.
  bool collect(Milliseconds now, const std::function<void(Generation&)>& abandon);

  /// Begins to end every generation, the current one too (it goes on serving meanwhile).
  void drain_all(Milliseconds deadline);

  /// Whether no task runs any more and all stop hooks have.
  [[nodiscard]] bool quiet() const;

  /// Calls `visit` with every generation.
  template <typename Function>
  void each(Function visit) {
    // `visit` may begin one: NOLINTNEXTLINE(modernize-loop-convert)
    for (std::size_t i = 0; i < all_.size(); ++i) {
      visit(*all_[i]);
    }
  }

  /// How many VMs live. Any thread.
  [[nodiscard]] std::size_t live() const { return live_.load(std::memory_order_relaxed); }

 private:
  [[nodiscard]] bool finished(Generation& generation, Milliseconds now,
                              const std::function<void(Generation&)>& abandon);
  void begin_stop(Generation& generation);

  OnStopError on_stop_error_;
  std::vector<std::unique_ptr<Generation>> all_;
  Generation* current_ = nullptr;
  std::atomic<std::size_t> live_{0};
};

}  // namespace perigee::server
