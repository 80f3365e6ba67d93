#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/timer_wheel.h"
#include "client/host_stats.h"
#include "client/http_answer.h"
#include "client/http_connector.h"
#include "client/http_peer.h"
#include "client/network.h"

namespace perigee::client {

/// One request and its answer over a pooled connection. It goes on by itself whenever the network lets it; who waits
/// for something of it is woken when that is there. Where a pooled connection turns out to be dead before any byte of
/// an answer came, a request that may be repeated (RFC 9110 section 9.2.2) is sent once more over a fresh one.
/// Destroying it closes its connection. One that has ended may start anew. Loop thread only.
class HttpCall {
 public:
  struct Request {
    std::shared_ptr<const HttpPeer> peer;
    std::string method;
    std::string target = "/";
    std::string fields;         ///< whole lines, without Host and what frames the body
    bool usual_fields = false;  ///< the peer's come before them
    std::string host;           ///< of the Host field; empty: the peer's
    std::string body;
    bool has_body = false;  ///< a length is said, also of an empty one
    bool streams = false;   ///< the body comes by write(), and goes out chunked
    bool keeps = false;     ///< the answer's body is taken in parts, by read()
    bool decodes = false;   ///< gzip and br are taken off, and were asked for
    Milliseconds connect = 10'000;
    Milliseconds read = 30'000;   ///< between two readings, and before the first
    Milliseconds total = 60'000;  ///< of all; of one that keeps, till the head
    std::uint64_t most = 0;       ///< bytes of the answer's body, decoded; 0: as many as come
  };

  explicit HttpCall(Network& network) : network_(network), timer_(*this) {}
  ~HttpCall();
  HttpCall(const HttpCall&) = delete;
  HttpCall& operator=(const HttpCall&) = delete;

  /// REQUIRES: it was not started yet, or has ended.
  void start(Request&& request);

  /// The same in two steps: a request of which nothing is said but, perhaps, its peer, to be filled in where it lies,
  /// and start(). REQUIRES: as start(request).
  [[nodiscard]] Request& renew();
  void start();

  /// Takes a part of the body, or says that there is no room: the waker is called when there is.
  /// REQUIRES: streams, and end_body() was not called.
  [[nodiscard]] bool write(std::string_view bytes);
  void end_body();

  /// Whether the head is there; of an answer that is not kept: all of it. Or it failed.
  [[nodiscard]] bool answered() const;
  /// Whether there is an answer to show: the whole of it; of one that is kept its head, whatever comes of the rest.
  [[nodiscard]] bool shows() const { return request_.keeps ? answer_.has_head() : state_ == State::kDone; }
  [[nodiscard]] bool failed() const { return state_ == State::kFailed; }
  [[nodiscard]] bool ended() const { return state_ == State::kDone || failed(); }
  /// Whom it asks. REQUIRES: it was started.
  [[nodiscard]] const HttpPeer& peer() const { return *request_.peer; }
  /// By a first word of the error convention.
  [[nodiscard]] const std::string& error() const { return error_; }
  /// What has come of it, and was not taken.
  [[nodiscard]] const HttpAnswer& answer() const { return answer_; }

  /// When it must have ended, on the clock of monotonic_ms(). REQUIRES: it was started.
  [[nodiscard]] Milliseconds deadline() const { return deadline_; }

  /// Bytes that it has room for: what one that ended keeps in memory.
  [[nodiscard]] std::size_t room() const {
    return answer_.room() + output_.capacity() + request_.target.capacity() + request_.fields.capacity();
  }
  /// Drops what is here of the answer's body, and has more come.
  void take_body();

  /// Has `waker` called at the next thing that happens to who waits.
  void set_waker(std::function<void()> waker) { waker_ = std::move(waker); }
  /// Ends it, and whatever it holds.
  void close();

 private:
  enum class State : std::uint8_t { kIdle, kConnecting, kSending, kReading, kDone, kFailed };
  static constexpr std::size_t kMostUnsent = 64 * 1024;   ///< bytes of a streamed request
  static constexpr std::size_t kMostUnread = 256 * 1024;  ///< bytes of a kept answer

  void on_stream();
  void open(bool fresh);
  void begin(PooledStream stream);
  void advance();
  void step();
  [[nodiscard]] bool send();
  [[nodiscard]] bool read();
  [[nodiscard]] bool take_in(HttpAnswer::Outcome outcome);
  [[nodiscard]] bool may_repeat() const;
  [[nodiscard]] bool retry();
  void finish();
  void release();
  void count_time();
  void fail(std::string error);
  void wake();
  void wait_for_stream();
  void arm();
  void on_timer();
  [[nodiscard]] std::string stage() const;

  Network& network_;
  Request request_;
  std::unique_ptr<HttpConnector> connector_;
  PooledStream pooled_;
  HttpAnswer answer_;
  std::string output_;
  std::size_t sent_ = 0;
  std::string error_;
  std::function<void()> waker_;
  Milliseconds now_ = 0;             // when the loop came here last
  Milliseconds deadline_ = 0;        // of all
  Milliseconds pause_deadline_ = 0;  // of what is being waited for
  TimerOf<HttpCall, &HttpCall::on_timer> timer_;
  State state_ = State::kIdle;
  bool body_ended_ = false;  // of the request
  bool begun_ = false;       // a byte of the answer came
  Milliseconds began_ = 0;
  bool retried_ = false;
  bool reusable_ = true;
  bool paused_ = false;  // nothing is read while what came is not taken
};

}  // namespace perigee::client
