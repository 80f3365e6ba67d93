#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/executor.h"
#include "state/dictionary_shard.h"

namespace perigee::state {

/// Computations that several want at once, each carried out by one of them while the others wait for its result
/// ("singleflight"). Who takes part is told apart by its group (a VM) and a number in it (a task). Any thread.
class Flights {
 public:
  enum class Landing : std::uint8_t {
    kValue,     ///< a value, or kNone: there is none, and `text` may say why
    kFailed,    ///< an error: `text`
    kAbandoned  ///< whoever computed is gone: somebody else may
  };
  struct Result {
    Landing landing = Landing::kAbandoned;
    ValueKind kind = ValueKind::kNone;
    double number = 0;
    std::string bytes;
    std::string text;
  };
  using Shared = std::shared_ptr<const Result>;

  struct Member {
    const void* group;
    double number;

    bool operator==(const Member&) const = default;
  };
  /// Where a waiting member is told the result.
  struct Waiter {
    Member member;
    Executor* executor;
    std::function<void(const Shared& result)> wake;  ///< on the executor's thread
  };

  enum class Role : std::uint8_t { kComputes, kWaits, kComputesAlready };

  /// Joins the computation called `name`, as the one who computes where nobody does. Throws std::bad_alloc.
  [[nodiscard]] Role join(std::string_view name, Waiter waiter);

  /// Tells the result to those who wait. Nothing happens unless `member` computes it.
  void land(std::string_view name, const Member& member, const Result& result);

  /// The member waits no longer, and computes nothing any more: what it did is abandoned.
  void leave(const Member& member);
  /// So do all members of a group. After it none of their executors is used.
  void leave(const void* group);

  /// How many computations are under way.
  [[nodiscard]] std::size_t size() const { return size_.load(std::memory_order_acquire); }

 private:
  struct Flight {
    Member computing;
    std::vector<Waiter> waiting;
  };

  template <typename Leaves>
  void leave_where(const Leaves& leaves);
  static void tell(const Flight& flight, const Shared& result);

  std::mutex mutex_;
  std::map<std::string, Flight, std::less<>> flights_;  // guarded by mutex_
  std::atomic<std::size_t> size_{0};
};

}  // namespace perigee::state
