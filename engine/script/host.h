#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/executor.h"
#include "base/timer_wheel.h"
#include "state/topic_message.h"

namespace perigee {
class WorkQueue;
}

namespace perigee::client {
class Network;
}

namespace perigee::files {
class FileCache;
}

namespace perigee::profiler {
class ErrorDesk;
}

namespace perigee::state {
class RateLimiter;
class SessionStore;
class SharedDictionaries;
class Topics;
}  // namespace perigee::state

namespace perigee::script {

class Exchange;
class JobDesk;
struct SessionCookie;
class Task;
class TestDesk;

/// Is told what is published on a topic. Worker's thread only.
class TopicListener {
 public:
  virtual ~TopicListener() = default;
  virtual void on_message(const state::SharedMessage& message) noexcept = 0;
  /// Messages were lost, as the worker could not keep up with their publishers.
  virtual void on_missed() noexcept = 0;
};

/// What a VM asks of the worker it lives on. Worker's thread only.
class Host {
 public:
  virtual ~Host() = default;

  enum class Room : std::int32_t { kWritten, kFull, kClosed };

  [[nodiscard]] virtual TimerWheel& timers() = 0;
  /// Monotonic, when the worker's turn began.
  [[nodiscard]] virtual Milliseconds now() = 0;

  /// Sends `bytes` as the next part of a streamed body, or says why not. kFull: the task is woken when there is room.
  [[nodiscard]] virtual Room write_stream(Exchange& exchange, std::string_view bytes) noexcept = 0;

  /// Takes in what has come of a body that still arrives, and has more of it come. REQUIRES: exchange.intake.
  virtual void receive_body(Exchange& exchange) noexcept = 0;
  /// Has `waiter`, which is about to wait, woken when there is something to read; `whole`: when the body has ended.
  virtual void await_body(Exchange& exchange, Task& waiter, bool whole) = 0;

  /// The id of a request as logs and answers show it.
  [[nodiscard]] virtual std::string request_id(const Exchange& exchange) = 0;
  /// The client's address as text: the peer's, or whom a trusted proxy stands for.
  [[nodiscard]] virtual std::string remote_address(const Exchange& exchange) = 0;
  /// "http" or "https", likewise.
  [[nodiscard]] virtual std::string_view scheme(const Exchange& exchange) = 0;

  /// What counts how often things happen, for all workers.
  [[nodiscard]] virtual state::RateLimiter& rates() = 0;

  /// The files that the worker served last.
  [[nodiscard]] virtual files::FileCache& files() = 0;

  /// The dictionaries that all workers share.
  [[nodiscard]] virtual state::SharedDictionaries& shared() = 0;

  /// By what the worker connects to others.
  [[nodiscard]] virtual client::Network& network() = 0;
  /// The sessions of all workers, and what their cookie is called.
  [[nodiscard]] virtual state::SessionStore& sessions() = 0;
  [[nodiscard]] virtual const SessionCookie& session_cookie() = 0;
  /// Has the exchange's stream end with its session, if it has one.
  virtual void watch_session(Exchange& exchange) = 0;

  /// What is published, for all workers.
  [[nodiscard]] virtual state::Topics& topics() = 0;
  /// Has the listener told what is published on the topic from now on; once a listener.
  virtual void listen(TopicListener& listener, std::string_view topic) = 0;
  virtual void stop_listening(TopicListener& listener, std::string_view topic) noexcept = 0;

  /// Where failures are counted.
  [[nodiscard]] virtual profiler::ErrorDesk& errors() = 0;

  /// Where other threads post to the worker's.
  [[nodiscard]] virtual Executor& executor() = 0;

  /// A VM of this worker holds `bytes` of memory, more than it may, and none of it is garbage.
  virtual void outgrown(std::size_t bytes) = 0;

  /// Threads for short work that would hold up the worker's, as the hash of a password.
  [[nodiscard]] virtual WorkQueue& helpers() = 0;

  /// Who runs jobs on other VMs; null where nobody does.
  [[nodiscard]] virtual JobDesk* jobs() { return nullptr; }

  /// Begins an operation of the server for the waiting `task`, which is woken when `task.result` is there; false when
  /// there is none of that name. Only the admin app's worker has any.
  [[nodiscard]] virtual bool begin_operation(Task& task, std::string_view name) = 0;

  /// Who opens apps for the tests that the VM runs; null for a VM that runs none.
  [[nodiscard]] virtual TestDesk* test_desk() { return nullptr; }
};

}  // namespace perigee::script
