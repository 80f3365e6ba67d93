#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/ticks.h"
#include "http/router.h"
#include "net/connection.h"
#include "profiler/slow_requests.h"
#include "script/exchange.h"
#include "server/client_origin.h"
#include "server/generation.h"

namespace perigee::server {

/// An exchange as a worker serves it: which connection it came by, which generation answers it, and how far it is.
class Visit final : public script::Exchange {
 public:
  enum class Stage : std::uint8_t {
    kProxyHeader,  ///< the proxy has yet to say whose connection it is; `peer` is the proxy
    kHead,         ///< the head is not whole yet
    kBody,         ///< the body is being read
    kHandling,     ///< the handler runs or waits
    kSending,      ///< a file is being sent
    kStreaming,    ///< the head of a streamed answer is sent
    kAfter,        ///< the answer is sent and the connection has gone on; hooks still run
    kRest          ///< no request: what the one before left unread of its body is passed over
  };

  [[nodiscard]] net::Connection* client() const { return static_cast<net::Connection*>(connection); }

  Stage stage = Stage::kHead;
  Generation* generation = nullptr;
  http::Router::Match match;
  std::int64_t body_limit = 0;  ///< bytes
  Milliseconds body_began = 0;
  Milliseconds body_waited = 0;  ///< how long its handler waited for bytes that a client owed
  Milliseconds wait_began = 0;
  std::uint64_t rest = 0;           ///< of kRest: bytes to pass over
  std::uint64_t body_received = 0;  ///< bytes on the wire
  bool discard_body = false;        ///< nobody wants it: the answer is a refusal
  bool close_after = false;         ///< the connection ends with this answer
  bool chunked_answer = false;
  bool head_timed = false;  ///< the deadline of its head is set
  bool limit_set = false;   ///< the deadline of its handler is set
  bool detached = false;    ///< its head is no longer in the connection's buffer
  std::string route;        ///< the pattern, for the log, of a visit that has let its generation go
  std::size_t piece = 0;    ///< of answer.file: how many are sent, or being sent
  Milliseconds dispatched = 0;
  Ticks began = 0;                    ///< when its head was whole
  Ticks suspended = 0;                ///< when its handler began to wait
  bool measured = false;              ///< its answer has been counted
  bool waited = false;                ///< `waits` hold something
  profiler::WaitTimes waits{};        ///< what its handler has waited for
  Milliseconds handler_deadline = 0;  ///< once limit_set
  net::PeerAddress peer;              ///< kept when the connection has gone on
  bool secure = false;                ///< likewise

  /// Makes a pooled visit ready for the next request of `client`.
  void begin(net::Connection& client) {
    reset();
    connection = &client;
    stage = Stage::kHead;
    generation = nullptr;
    match.outcome = http::Router::Outcome::kNotFound;
    match.route = -1;
    body_received = 0;
    discard_body = close_after = chunked_answer = head_timed = limit_set = detached = measured = waited = false;
  }

  /// One more wait has ended.
  void add_wait(profiler::WaitOperation operation, Ticks duration) noexcept {
    if (!waited) {
      waited = true;
      waits.fill(0);
    }
    waits[static_cast<std::size_t>(operation)] += duration;
  }

  /// Takes the head's bytes out of the connection's buffer. Does nothing a second time, or without a connection.
  void detach() {
    if (!detached && client() != nullptr) {
      own_head();
      client()->input().consume(head.size);
      keep_peer();
      detached = true;
    }
  }

  /// Shows a request whose head was refused, or never came, as far as it can be shown: without what it says.
  void publish_refused() {
    head.base = "";
    head.size = 0;
    head.method = http::Method::kGet;
    head.minor_version = 1;
    head.keep_alive = false;
    head.method_text = head.target = head.raw_path = head.query = head.host = Span();
    head.path_is_raw = true;
    head.field_count = 0;
    head.known.fill(http::RequestHead::kAbsent);
    publish();
    keep_peer();
    detached = true;
  }

  /// Who sent it, whether the connection is still there or not.
  [[nodiscard]] ClientOrigin direct() const {
    return client() == nullptr ? ClientOrigin{peer, secure} : ClientOrigin{client()->peer(), client()->secure()};
  }

 private:
  void keep_peer() {
    peer = client()->peer();
    secure = client()->secure();
  }
};

}  // namespace perigee::server
