#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

struct ssl_ctx_st;
struct ssl_st;

namespace perigee::net {

/// Whom a client trusts, and who it is itself. Paths; empty ones leave it out.
struct TlsIdentity {
  std::string ca_file;    ///< certificates in PEM that are trusted instead of the system's
  std::string cert_file;  ///< the client's own, with its chain
  std::string key_file;

  auto operator<=>(const TlsIdentity&) const = default;
};

/// What the sessions of one identity share: OpenSSL's context. TLS 1.2 and 1.3. One thread only.
class TlsContext {
 public:
  /// The error begins with "tls:" and names the file.
  [[nodiscard]] static Result<std::unique_ptr<TlsContext>> create(const TlsIdentity& identity);

  [[nodiscard]] ssl_ctx_st* get() { return context_.get(); }

 private:
  struct Deleter {
    void operator()(ssl_ctx_st* context) const;
  };

  TlsContext() = default;

  std::unique_ptr<ssl_ctx_st, Deleter> context_;
};

/// Whom a session is to reach.
struct TlsTarget {
  std::string server_name;  ///< a host name, said in SNI (RFC 6066 section 3), or an IP address; both are verified
  bool verify = true;       ///< chain, validity and name
  std::vector<std::string> alpn;  ///< protocols offered (RFC 7301), each 1 to 255 bytes
};

/// One TLS session of a client over a socket that is somebody else's. Loop thread only.
class TlsSession {
 public:
  enum class Outcome : std::uint8_t { kDone, kWantsRead, kWantsWrite, kEnded, kFailed };
  struct Progress {
    Outcome outcome;
    std::size_t count = 0;
  };

  [[nodiscard]] static Result<std::unique_ptr<TlsSession>> create(TlsContext& context, int fd, const TlsTarget& target);

  [[nodiscard]] Progress handshake();
  [[nodiscard]] Progress read(char* room, std::size_t size);
  [[nodiscard]] Progress write(std::string_view bytes);
  /// Whether there is something to read: kDone; kWantsRead when not.
  [[nodiscard]] Outcome peek();
  /// Says close_notify, where that can be said without waiting.
  void say_goodbye();

  /// "tls: ..." or "reset", by its first word.
  [[nodiscard]] const std::string& error() const { return error_; }
  /// What was agreed on; empty without.
  [[nodiscard]] std::string_view alpn() const;
  /// "TLSv1.3".
  [[nodiscard]] std::string_view version() const;

 private:
  struct Deleter {
    void operator()(ssl_st* session) const;
  };

  TlsSession() = default;
  [[nodiscard]] Progress progress(int result, std::size_t count);
  [[nodiscard]] std::string explain(int reason, int error) const;

  std::unique_ptr<ssl_st, Deleter> session_;
  std::string error_;
  bool established_ = false;
};

}  // namespace perigee::net
