#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace perigee::script {

class Task;

/// A body that its handler meets while it still arrives: what has become of it, how much of it was read, and who waits
/// for more. An exchange has one only where its body is larger than http.body_buffer or is read in parts. It ends with
/// the request. Worker's thread only.
class BodyIntake {
 public:
  enum class State : std::uint8_t { kWhole, kArriving, kFailed };

  /// Why there is no more of a body: the status a request gets that wants the whole of it, and what `req:read` says.
  struct Failure {
    int status = 0;
    std::string_view word;  ///< the error's first word
    std::string detail;     ///< for the client
  };

  /// Bodies above this are not kept whole in memory, whatever the route's limit: a Lua string holds no more.
  static constexpr std::size_t kLargestWhole = 1024 * 1024 * 1024;

  ~BodyIntake() { wake_all(); }

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] bool arriving() const { return state_ == State::kArriving; }
  [[nodiscard]] const Failure& failure() const { return failure_; }

  void begin() { state_ = State::kArriving; }
  void end() { state_ = State::kWhole; }
  /// The first reason stays.
  void fail(int status, std::string_view word, std::string_view detail);

  /// Takes the next bytes of the body, which `body` collects. False: no more are wanted.
  [[nodiscard]] bool keep(std::string& body, std::string_view bytes);

  /// What has come in next bytes is dropped.
  void discard(std::string& body);

  /// Bytes of `body` that were not read yet.
  [[nodiscard]] std::string_view unread(const std::string& body) const { return std::string_view(body).substr(read_); }
  /// Marks the first `size` unread bytes as read. What they stood in may go with the next bytes that come.
  void advance(std::string& body, std::size_t size);

  /// Has `waiter` woken when bytes are there to be read, or, where it wants the `whole`, when the body has ended.
  void await(Task& waiter, bool whole);
  [[nodiscard]] bool awaited() const { return !waiters_.empty(); }
  /// Wakes those whose wish is met.
  void wake(const std::string& body);

  bool owes_continue = false;  ///< the client waits for "100 Continue" before it sends the body

 private:
  struct Waiter {
    Task* task;
    double serial;
    bool whole;
  };
  void wake_all();
  static void wake(const Waiter& waiter);

  State state_ = State::kWhole;
  bool dropped_ = false;
  std::size_t read_ = 0;
  Failure failure_;
  std::vector<Waiter> waiters_;
};

}  // namespace perigee::script
