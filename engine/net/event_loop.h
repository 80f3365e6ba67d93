#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/buffer_pool.h"
#include "base/counter.h"
#include "base/executor.h"
#include "base/timer_wheel.h"
#include "net/poller.h"

struct event_base;

namespace perigee::net {

class Connection;

/// Bytes on the wire, as the kernel took and gave them. One loop adds, any thread reads.
struct Traffic {
  Counter received;
  Counter sent;
};

/// Room for the Connections of one loop.
using ConnectionPool = BlockPool<320, 256>;

/// One thread's loop: sockets, timers, and work posted by other threads. What each request passes, connections and
/// streams, is a Watch of the loop's own Poller; all else is an event of libevent, whose descriptor is one of those
/// that the Poller watches. Owned by a worker; every method but post(), stop() and in_loop() belongs to the thread that
/// called run() (or, before that, built it).
class EventLoop final : public Executor {
 public:
  EventLoop();
  ~EventLoop() override;
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  /// Dispatches events until stop(). Errors of single callbacks never end it.
  void run();

  /// For a thread that does not give itself to run(): one look for events and what follows from it. `wait`: where
  /// there is nothing to do yet, until an event or a timer comes. True when there is more to do at once.
  bool turn(bool wait);

  /// The same without a look for events: the caller brings the work, between the turn's beginning and its end. True as
  /// of turn().
  void begin_turn() { ++turn_; }
  bool finish_turn();

  /// Looks for events and tells of them, no more. `wait`: where there are none, until one or a timer comes.
  void look(bool wait);

  /// Makes run() return once the events at hand are dispatched. Any thread.
  void stop();

  /// Runs what was posted after run() returned, and destroys the connections that this closed. Its thread.
  void run_leftovers();

  /// Runs `work` on the loop, in order; wakes the loop where its queue was empty. Any thread.
  void post(std::function<void()> work) override;

  /// Destroys a closed connection when the callbacks at hand are done: its callers still hold it.
  void bury(Connection& connection);

  /// Calls `work` at the end of every turn of the loop. While it returns true the loop only looks for events and does
  /// not wait for them.
  void set_turn_work(std::function<bool()> work) { turn_work_ = std::move(work); }

  /// Counts the loop's turns: one look for events and what follows from it.
  [[nodiscard]] std::uint64_t turn() const { return turn_; }
  [[nodiscard]] TimerWheel& timers() { return timers_; }
  [[nodiscard]] BufferPool& buffers() { return buffers_; }
  [[nodiscard]] ConnectionPool& connections() { return connections_; }
  [[nodiscard]] Poller& poller() { return poller_; }
  [[nodiscard]] event_base* base() { return base_.get(); }
  [[nodiscard]] bool in_loop() const { return std::this_thread::get_id() == thread_; }
  void assert_in_loop() const;

  /// What its connections have received and sent.
  [[nodiscard]] Traffic& traffic() { return traffic_; }
  [[nodiscard]] const Traffic& traffic() const { return traffic_; }

  /// How much work waits that was posted. Any thread.
  [[nodiscard]] std::size_t queued() const;

  /// How often a wake-up had to be written: posts to a queue that was empty.
  [[nodiscard]] std::size_t wakeups() const { return wakeups_.load(std::memory_order_relaxed); }

 private:
  struct BaseDeleter {
    void operator()(event_base* base) const;
  };

  void on_libevent(Watch::Events events);
  void on_posted(Watch::Events events);
  [[nodiscard]] int patience();
  [[nodiscard]] bool end_turn();
  void run_posted();
  void destroy_buried();

  Poller poller_;
  std::unique_ptr<event_base, BaseDeleter> base_;
  int wake_fd_;
  WatchOf<EventLoop, &EventLoop::on_libevent> libevent_watch_;
  WatchOf<EventLoop, &EventLoop::on_posted> wake_watch_;
  TimerWheel timers_;
  std::uint64_t turn_ = 0;
  Traffic traffic_;
  BufferPool buffers_;
  ConnectionPool connections_;
  std::function<bool()> turn_work_;
  Connection* buried_ = nullptr;  // the last one; each knows the one before
  std::thread::id thread_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::size_t> wakeups_{0};
  mutable std::mutex mutex_;
  std::vector<std::function<void()>> posted_;  // guarded by mutex_
};

}  // namespace perigee::net
