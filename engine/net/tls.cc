#include "net/tls.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <cerrno>
#include <new>
#include <utility>

#include "net/peer_address.h"

namespace perigee::net {
namespace {

std::string last_tls_error() {
  char text[256];
  const unsigned long code = ERR_peek_last_error();
  if (code == 0) {
    return "unknown error";
  }
  const char* reason = ERR_reason_error_string(code);
  if (reason != nullptr) {
    return reason;
  }
  ERR_error_string_n(code, text, sizeof text);
  return text;
}

int descriptor_of(BIO* bio) {
  return static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio)));
}

// OpenSSL's own socket BIO writes in a way that may raise SIGPIPE.
int write_socket(BIO* bio, const char* bytes, int size) {
  BIO_clear_retry_flags(bio);
  const auto count = static_cast<int>(::send(descriptor_of(bio), bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL));
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
    BIO_set_retry_write(bio);
  }
  return count;
}

int read_socket(BIO* bio, char* room, int size) {
  BIO_clear_retry_flags(bio);
  const auto count = static_cast<int>(::recv(descriptor_of(bio), room, static_cast<std::size_t>(size), 0));
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
    BIO_set_retry_read(bio);
  } else if (count == 0) {
    BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
  }
  return count;
}

long control_socket(BIO* bio, int command, long, void*) {
  switch (command) {
    case BIO_CTRL_FLUSH:
      return 1;
    case BIO_CTRL_EOF:
      return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
    default:
      return 0;
  }
}

const BIO_METHOD* socket_method() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket without signals");
    if (made != nullptr) {
      BIO_meth_set_write(made, write_socket);
      BIO_meth_set_read(made, read_socket);
      BIO_meth_set_ctrl(made, control_socket);
    }
    return made;
  }();
  return method;
}

bool attach(SSL* session, int fd) {
  BIO* bio = socket_method() != nullptr ? BIO_new(socket_method()) : nullptr;
  if (bio == nullptr) {
    return false;
  }
  BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(fd)));
  BIO_set_init(bio, 1);
  SSL_set_bio(session, bio, bio);
  return true;
}

// RFC 7301 section 3.1: each name behind its length.
bool offer_protocols(SSL* session, const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) {
    if (name.empty() || name.size() > 255) {
      return false;
    }
    list += static_cast<char>(name.size());
    list += name;
  }
  return list.empty() || SSL_set_alpn_protos(session, reinterpret_cast<const unsigned char*>(list.data()),
                                             static_cast<unsigned>(list.size())) == 0;
}

bool expect_name(SSL* session, const TlsTarget& target) {
  const bool literal = PeerAddress::parse(target.server_name).has_value();
  if (!literal && !target.server_name.empty() && SSL_set_tlsext_host_name(session, target.server_name.c_str()) != 1) {
    return false;
  }
  if (!target.verify) {
    SSL_set_verify(session, SSL_VERIFY_NONE, nullptr);
    return true;
  }
  SSL_set_verify(session, SSL_VERIFY_PEER, nullptr);
  SSL_set_hostflags(session, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (target.server_name.empty()) {
    return false;
  }
  return literal ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), target.server_name.c_str()) == 1
                 : SSL_set1_host(session, target.server_name.c_str()) == 1;
}

Result<> load_identity(SSL_CTX* context, const TlsIdentity& identity) {
  if (identity.ca_file.empty()) {
    SSL_CTX_set_default_verify_paths(context);
  } else if (SSL_CTX_load_verify_file(context, identity.ca_file.c_str()) != 1) {
    return fail("tls: the trusted certificates in '" + identity.ca_file + "' can't be read: " + last_tls_error());
  }
  if (identity.cert_file.empty()) {
    return {};
  }
  const std::string& key = identity.key_file.empty() ? identity.cert_file : identity.key_file;
  if (SSL_CTX_use_certificate_chain_file(context, identity.cert_file.c_str()) != 1) {
    return fail("tls: the certificate in '" + identity.cert_file + "' can't be read: " + last_tls_error());
  }
  if (SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1) {
    return fail("tls: the key in '" + key + "' can't be read, or is another certificate's: " + last_tls_error());
  }
  return {};
}

}  // namespace

void TlsContext::Deleter::operator()(ssl_ctx_st* context) const {
  SSL_CTX_free(context);
}
void TlsSession::Deleter::operator()(ssl_st* session) const {
  SSL_free(session);
}

Result<std::unique_ptr<TlsContext>> TlsContext::create(const TlsIdentity& identity) {
  ERR_clear_error();
  std::unique_ptr<TlsContext> made(new TlsContext);
  made->context_.reset(SSL_CTX_new(TLS_client_method()));
  SSL_CTX* context = made->get();
  if (context == nullptr) {
    return fail("tls: " + last_tls_error());
  }
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_mode(context,
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  TRY(load_identity(context, identity));
  return made;
}

Result<std::unique_ptr<TlsSession>> TlsSession::create(TlsContext& context, int fd, const TlsTarget& target) {
  ERR_clear_error();
  std::unique_ptr<TlsSession> made(new TlsSession);
  made->session_.reset(SSL_new(context.get()));
  SSL* session = made->session_.get();
  if (session == nullptr || !attach(session, fd) || !offer_protocols(session, target.alpn)) {
    return fail("tls: " + last_tls_error());
  }
  if (!expect_name(session, target)) {
    return fail("tls: '" + target.server_name + "' is no name that a certificate can be checked for");
  }
  SSL_set_connect_state(session);
  return made;
}

TlsSession::Progress TlsSession::handshake() {
  ERR_clear_error();
  const Progress made = progress(SSL_do_handshake(session_.get()), 0);
  established_ = established_ || made.outcome == Outcome::kDone;
  if (made.outcome == Outcome::kEnded) {
    error_ = "tls: the peer closed the connection during the handshake";
    return {Outcome::kFailed};
  }
  return made;
}

TlsSession::Progress TlsSession::read(char* room, std::size_t size) {
  ERR_clear_error();
  std::size_t count = 0;
  const int result = SSL_read_ex(session_.get(), room, size, &count);
  return progress(result, count);
}

TlsSession::Progress TlsSession::write(std::string_view bytes) {
  ERR_clear_error();
  std::size_t count = 0;
  const int result = SSL_write_ex(session_.get(), bytes.data(), bytes.size(), &count);
  return progress(result, count);
}

TlsSession::Outcome TlsSession::peek() {
  ERR_clear_error();
  char byte = 0;
  std::size_t count = 0;
  const int result = SSL_peek_ex(session_.get(), &byte, 1, &count);
  return progress(result, count).outcome;
}

// After a failure nothing may be said: OpenSSL forbids it.
void TlsSession::say_goodbye() {
  if (established_ && error_.empty()) {
    ERR_clear_error();
    SSL_shutdown(session_.get());
  }
}

TlsSession::Progress TlsSession::progress(int result, std::size_t count) {
  if (result > 0) {
    return {Outcome::kDone, count};
  }
  const int error = errno;
  const int reason = SSL_get_error(session_.get(), result);
  switch (reason) {
    case SSL_ERROR_WANT_READ:
      return {Outcome::kWantsRead};
    case SSL_ERROR_WANT_WRITE:
      return {Outcome::kWantsWrite};
    case SSL_ERROR_ZERO_RETURN:
      return {Outcome::kEnded};
    default:
      error_ = explain(reason, error);
      return {Outcome::kFailed};
  }
}

std::string TlsSession::explain(int reason, int error) const {
  if (reason == SSL_ERROR_SYSCALL) {
    return error == 0 ? "closed" : error == ECONNRESET || error == EPIPE ? "reset" : "tls: the socket failed";
  }
  if (const long verdict = SSL_get_verify_result(session_.get());
      !established_ && verdict != X509_V_OK && SSL_get_verify_mode(session_.get()) != SSL_VERIFY_NONE) {
    return std::string("tls: the certificate is refused: ") + X509_verify_cert_error_string(verdict);
  }
  if (ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
    return established_ ? "closed: without the end that TLS says"
                        : "tls: the peer closed the connection during the handshake";
  }
  return "tls: " + last_tls_error();
}

std::string_view TlsSession::alpn() const {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(session_.get(), &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

std::string_view TlsSession::version() const {
  return SSL_get_version(session_.get());
}

}  // namespace perigee::net
