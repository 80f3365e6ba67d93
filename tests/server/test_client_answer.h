#pragma once

#include <catch2/catch.hpp>
#include <string>
#include <string_view>

#include "server/test_client.h"

namespace perigee::server {

/// The body of the answer to a GET, once it has come whole; what came of it within `patience`.
inline std::string answer_to(TestClient& client, std::string_view path, Milliseconds patience) {
  REQUIRE(client.send("GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n\r\n", false));
  const Milliseconds latest = real_ms() + patience;
  client.receive();
  while (client.answer().state() != http::AnswerReader::State::kDone && real_ms() < latest) {
    client.wait(latest - real_ms());
    client.receive();
  }
  return std::string(client.answer().body());
}

}  // namespace perigee::server
