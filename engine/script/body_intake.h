#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "files/upload_form.h"

namespace perigee::script {

class Task;

/// A body that its handler meets while it still arrives: what has become of it, how much of it was read, and who waits
/// for more, and the form that it is. An exchange has one only where its body is larger than http.body_buffer, is read
/// in parts or is a multipart form. It ends with the request. Worker's thread only.
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
  void end();
  /// The first reason stays.
  void fail(int status, std::string_view word, std::string_view detail);

  /// Takes the next bytes of the body, which `body` collects. False: no more are wanted.
  [[nodiscard]] bool keep(std::string& body, std::string_view bytes);

  /// Takes the body apart as a form from here on, and what has come of it at once. `body` stays where it is whole.
  void begin_form(std::string& body, std::string_view content_type, const files::UploadSettings& settings);
  [[nodiscard]] files::UploadForm* form() { return form_.get(); }

  /// What comes next is dropped.
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
  [[nodiscard]] bool feed_form(std::string_view bytes);
  void wake_all();
  static void wake(const Waiter& waiter);

  State state_ = State::kWhole;
  bool dropped_ = false;
  std::size_t read_ = 0;
  Failure failure_;
  std::vector<Waiter> waiters_;
  std::unique_ptr<files::UploadForm> form_;
};

}  // namespace perigee::script
