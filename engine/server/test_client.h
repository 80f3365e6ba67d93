#pragma once

#include <memory>
#include <string_view>

#include "http/answer_reader.h"
#include "net/memory_peer.h"
#include "server/test_app.h"

namespace perigee::server {

/// A client of an app under test, one request at a time: over memory or, where the app is served, over a socket. It
/// connects when it sends, again where the connection has ended. Its app must outlive it; the app's thread only.
class TestClient {
 public:
  explicit TestClient(TestApp& app) : app_(app) {}
  ~TestClient();
  TestClient(const TestClient&) = delete;
  TestClient& operator=(const TestClient&) = delete;

  /// Sends a request. False when there is no connection to be had, or it broke.
  [[nodiscard]] bool send(std::string_view request, bool is_head);

  /// Takes what has come of the answer.
  void receive();

  /// Waits for more of it, `longest` milliseconds at most.
  void wait(Milliseconds longest);

  [[nodiscard]] http::AnswerReader& answer() { return reader_; }
  [[nodiscard]] const TestApp& app() const { return app_; }

 private:
  [[nodiscard]] bool connect();
  [[nodiscard]] bool connect_socket();
  [[nodiscard]] bool send_bytes(std::string_view bytes);
  void receive_bytes();
  void disconnect();
  [[nodiscard]] bool connected() const { return app_.served() ? fd_ >= 0 : peer_ != nullptr && !peer_->closed(); }

  TestApp& app_;
  http::AnswerReader reader_;
  std::unique_ptr<net::MemoryPeer> peer_;  // of an app in memory
  int fd_ = -1;                            // of one that is served
  bool ended_ = false;                     // no more will come
  bool asked_ = false;                     // a request was sent on this connection
};

}  // namespace perigee::server
