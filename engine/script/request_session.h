#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "state/session_store.h"

namespace perigee::script {

/// What the session's cookie is called. Over TLS its name keeps other hosts from setting it (RFC 6265bis,
/// section 4.1.3.2).
struct SessionCookie {
  std::string plain = "session";
  std::string host = "__Host-session";

  explicit SessionCookie(const std::string& name = "session") : plain(name), host("__Host-" + name) {}
};

/// The session of one request, once it was looked for: what it held then, whatever others write meanwhile. Part of an
/// exchange; worker's thread only.
class RequestSession {
 public:
  RequestSession() = default;
  ~RequestSession() { end(); }
  RequestSession(const RequestSession&) = delete;
  RequestSession& operator=(const RequestSession&) = delete;

  [[nodiscard]] bool looked() const { return store_ != nullptr; }
  [[nodiscard]] bool exists() const { return static_cast<bool>(session_); }
  /// REQUIRES: exists().
  [[nodiscard]] const state::SessionRef& session() const { return session_; }
  [[nodiscard]] std::string_view data() const { return data_ ? std::string_view(*data_) : std::string_view(); }

  /// Looks for the session that a client's text names; "" names none.
  void look(state::SessionStore& store, std::string_view token, Milliseconds now);
  /// It is this one from now on, and holds that. REQUIRES: looked().
  void take(state::SessionRef session, state::SessionData data);
  /// The request has no session any more. REQUIRES: looked().
  void drop();

  /// Has `ended` run on the executor's thread when the session ends, until this ends or is dropped. Once; a second time
  /// nothing happens. REQUIRES: exists().
  void watch(Executor& executor, std::function<void()> ended);

  /// The request is over, or looks for its session anew.
  void end();

 private:
  state::SessionStore* store_ = nullptr;
  state::SessionRef session_;
  state::SessionData data_;
  std::uint64_t watch_ = 0;
};

}  // namespace perigee::script
