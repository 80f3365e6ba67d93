#include "client/http_connector.h"

#include <new>
#include <utility>

namespace perigee::client {
namespace {

Destination destination_of(const HttpConnector::Plan& plan, int detour) {
  if (detour != 0) {
    return {"127.0.0.1", detour, false};
  }
  if (plan.proxy) {
    return {plan.proxy->host, plan.proxy->port, false};
  }
  return {plan.url.host, plan.url.port, plan.block_private};
}

}  // namespace

std::string HttpConnector::Plan::key() const {
  std::string key = url.secure ? "https " : "http ";
  key.append(url.host).append(" ").append(std::to_string(url.port)).append(block_private ? " public" : " any");
  if (proxy) {
    key.append(" ").append(proxy->host).append(" ").append(std::to_string(proxy->port));
    key.append(" ").append(proxy->credentials);
  }
  return url.secure ? key.append(" ").append(security.key()) : key;
}

HttpConnector::HttpConnector(Network& network, const Plan& plan, Done done)
    : network_(network),
      plan_(plan),
      detour_(network.detour(plan.url.host, plan.url.port)),
      done_(std::move(done)),
      connecting_(network, destination_of(plan, detour_),
                  [this](int fd, const auto& error) { on_connected(fd, error); }) {}

void HttpConnector::start() {
  // A proxy looks names up itself: only an address can be judged here.
  if (plan_.proxy && plan_.block_private && detour_ == 0) {
    const auto literal = net::PeerAddress::parse(plan_.url.host);
    if (literal && Network::is_private(*literal)) {
      fail("refused: " + plan_.url.host + " is a private address, and those are blocked");
      return;
    }
  }
  connecting_.start();
}

std::string HttpConnector::stage() const {
  switch (phase_) {
    case Phase::kConnecting:
      return connecting_.stage();
    case Phase::kAsking:
    case Phase::kTunnel:
      return "waiting for the proxy " + plan_.proxy->host;
    case Phase::kHandshake:
      break;
  }
  return "shaking hands with " + plan_.url.host;
}

void HttpConnector::fail(const std::string& error) {
  const Done done = std::move(done_);
  done(nullptr, error);
}

void HttpConnector::on_connected(int fd, const std::string& error) {
  if (fd < 0) {
    fail(error + (error.find(':') == std::string::npos ? ": " + destination_of(plan_, detour_).text() : ""));
    return;
  }
  stream_ = std::make_unique<net::Stream>(network_.loop(), fd);
  if (plan_.url.secure && plan_.proxy && detour_ == 0) {
    begin_tunnel();
  } else if (plan_.url.secure && detour_ == 0) {
    begin_tls();
  } else {
    const Done done = std::move(done_);
    done(std::move(stream_), "");
  }
}

void HttpConnector::begin_tunnel() {
  const std::string place = Destination{plan_.url.host, plan_.url.port}.text();
  output_ = "CONNECT " + place + " HTTP/1.1\r\nHost: " + place + "\r\n";
  if (!plan_.proxy->credentials.empty()) {
    output_ += "Proxy-Authorization: " + plan_.proxy->credentials + "\r\n";
  }
  output_ += "\r\n";
  reader_.begin("CONNECT");
  phase_ = Phase::kAsking;
  advance();
}

void HttpConnector::begin_tls() {
  auto context = network_.tls(plan_.security.identity);
  if (!context) {
    fail(context.error().message);
    return;
  }
  if (!stream_->begin_tls(**context, plan_.security.target)) {
    fail(stream_->error());
    return;
  }
  phase_ = Phase::kHandshake;
  advance();
}

// Each part returns whether the next may follow; where not, it waits or has failed, and this may be gone.
void HttpConnector::advance() {
  if (phase_ == Phase::kAsking && !ask()) {
    return;
  }
  if (phase_ == Phase::kTunnel) {
    if (read_tunnel()) {
      begin_tls();
    }
    return;
  }
  if (shake_hands()) {
    const Done done = std::move(done_);
    done(std::move(stream_), "");
  }
}

void HttpConnector::wait() {
  stream_->await([this] { advance(); });
}

bool HttpConnector::ask() {
  while (!output_.empty()) {
    const auto progress = stream_->write(output_);
    if (progress.outcome == net::Stream::Outcome::kWaits) {
      wait();
      return false;
    }
    if (progress.outcome != net::Stream::Outcome::kDone) {
      fail(stream_->error() + ": by the proxy");
      return false;
    }
    output_.erase(0, progress.count);
  }
  phase_ = Phase::kTunnel;
  return true;
}

// Byte by byte behind the head nothing may be read: it would be the peer's first words of TLS. A proxy has none to say
// before we do, so that what comes with the head is a fault.
bool HttpConnector::read_tunnel() {
  char room[4096];
  std::string body;
  for (;;) {
    const auto progress = stream_->read(room, sizeof room);
    if (progress.outcome == net::Stream::Outcome::kWaits) {
      wait();
      return false;
    }
    if (progress.outcome != net::Stream::Outcome::kDone) {
      fail("closed: by the proxy");
      return false;
    }
    const std::size_t used = reader_.feed({room, progress.count}, body);
    if (reader_.state() == http::ResponseReader::State::kHead) {
      continue;
    }
    if (reader_.state() == http::ResponseReader::State::kRefused) {
      fail(std::string("refused: the proxy's answer is malformed: ") + reader_.reason());
    } else if (reader_.status() / 100 != 2) {
      fail("refused: the proxy answers " + std::to_string(reader_.status()));
    } else if (used != progress.count) {
      fail("refused: the proxy's answer is malformed: something stands behind it");
    } else {
      return true;
    }
    return false;
  }
}

bool HttpConnector::shake_hands() {
  switch (stream_->handshake()) {
    case net::Stream::Outcome::kDone:
      return true;
    case net::Stream::Outcome::kWaits:
      wait();
      return false;
    case net::Stream::Outcome::kEnded:
    case net::Stream::Outcome::kFailed:
      break;
  }
  fail(stream_->error() + ": " + plan_.url.host);
  return false;
}

}  // namespace perigee::client
