#include "client/http_call.h"

#include <algorithm>
#include <new>
#include <utility>

#include "client/request_head.h"

namespace perigee::client {
namespace {

constexpr std::size_t kReadRoom = 16 * 1024;

bool is_idempotent(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "OPTIONS" || method == "PUT" || method == "DELETE";
}

void add_chunk(std::string& output, std::string_view bytes) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string size;
  for (std::size_t left = bytes.size(); left != 0; left >>= 4) {
    size.insert(size.begin(), kHex[left & 0xf]);
  }
  output.append(size).append("\r\n").append(bytes).append("\r\n");
}

}  // namespace

HttpCall::~HttpCall() {
  close();
}

// Lets go of the network.
void HttpCall::release() {
  timer_.cancel();
  connector_.reset();
  if (pooled_.stream != nullptr) {
    --peer().stats.busy;
    pooled_ = {};
  }
}

void HttpCall::close() {
  release();
  waker_ = nullptr;
  if (state_ != State::kIdle && !ended()) {
    now_ = monotonic_ms();
    count_time();
    state_ = State::kFailed;
    error_ = "cancelled";
  }
}

void HttpCall::wake() {
  if (const auto waker = std::exchange(waker_, nullptr)) {
    waker();
  }
}

void HttpCall::fail(std::string error) {
  release();
  count_time();
  state_ = State::kFailed;
  error_ = std::move(error);
  ++peer().stats.errors[error_.substr(0, error_.find_first_of(": "))];
}

// The call ends.
void HttpCall::count_time() {
  peer().stats.spent += began_ != 0 ? now_ - std::exchange(began_, 0) : 0;
}

// The texts keep their room.
HttpCall::Request& HttpCall::renew() {
  for (std::string* text : {&request_.method, &request_.target, &request_.fields, &request_.host, &request_.body}) {
    text->clear();
  }
  request_.usual_fields = request_.has_body = request_.streams = request_.keeps = request_.decodes = false;
  return request_;
}

void HttpCall::start(Request&& request) {
  request_ = std::move(request);
  start();
}

void HttpCall::start() {
  error_.clear();
  state_ = State::kIdle;
  retried_ = paused_ = false;
  reusable_ = true;
  body_ended_ = !request_.streams;
  now_ = began_ = monotonic_ms();
  deadline_ = now_ + request_.total;
  open(false);
  advance();
}

// What was waited for may be there.
void HttpCall::on_stream() {
  now_ = monotonic_ms();
  advance();
}

// Finds or makes a connection.
void HttpCall::open(bool fresh) {
  ++peer().stats.requests;
  answer_.begin(request_.method, request_.decodes, request_.most);
  output_.clear();
  append_head(output_, request_);
  output_ += request_.body;
  sent_ = 0;
  begun_ = false;
  if (!fresh) {
    const auto look = may_repeat() ? StreamPool::Look::kTurn : StreamPool::Look::kNow;
    if (PooledStream pooled = network_.http_pool().take(*peer().shelf, look); pooled.stream != nullptr) {
      ++peer().stats.reused;
      begin(std::move(pooled));
      return;
    }
  }
  state_ = State::kConnecting;
  pause_deadline_ = now_ + request_.connect;
  connector_ = std::make_unique<HttpConnector>(
      network_, peer().plan, [this](std::unique_ptr<net::Stream> stream, const std::string& error) {
        now_ = monotonic_ms();
        const auto done = std::move(connector_);  // its end is left to this function's
        if (stream == nullptr) {
          fail(error);
          wake();
          return;
        }
        begin({std::move(stream), 0, HostTable::mark_open(peer().stats)});
        advance();
      });
  arm();
  connector_->start();
}

void HttpCall::begin(PooledStream stream) {
  pooled_ = std::move(stream);
  ++peer().stats.busy;
  state_ = State::kSending;
  pause_deadline_ = now_ + request_.read;
}

// Goes as far as it can, and wakes who waits for what has come of it.
void HttpCall::advance() {
  if (state_ != State::kSending && state_ != State::kReading) {
    return;
  }
  try {
    step();
  } catch (const std::bad_alloc&) {
    fail("full: out of memory");
  }
  const bool room = request_.streams && !body_ended_ && output_.size() - sent_ < kMostUnsent;
  if (answered() || room) {
    wake();
  }
  if (!ended()) {
    arm();
  }
}

void HttpCall::step() {
  if (state_ == State::kSending && !send()) {
    return;
  }
  while (state_ == State::kReading && read()) {
  }
}

// True when there may be an answer to read at once.
bool HttpCall::send() {
  while (sent_ < output_.size()) {
    const auto progress = pooled_.stream->write(std::string_view(output_).substr(sent_));
    if (progress.outcome == net::Stream::Outcome::kDone) {
      sent_ += progress.count;
      peer().stats.sent += progress.count;
      now_ = sent_ < output_.size() ? monotonic_ms() : now_;
      pause_deadline_ = now_ + request_.read;
    } else if (progress.outcome == net::Stream::Outcome::kWaits && pooled_.stream->quiet()) {
      pooled_.stream->await_either([this] { on_stream(); });
      return false;
    } else {
      break;  // it broke off, or an answer comes before the request is out: reading tells
    }
  }
  if (sent_ == output_.size() && request_.streams) {
    output_.clear();
    sent_ = 0;
  }
  if (sent_ == output_.size() && !body_ended_) {
    return false;
  }
  const bool whole = sent_ == output_.size();
  reusable_ = reusable_ && whole;
  state_ = State::kReading;
  if (whole) {
    pooled_.stream->await_any([this] { on_stream(); });  // nothing can be there yet
  }
  return !whole;
}

// True when there may be more to read at once.
bool HttpCall::read() {
  if (paused_) {
    return false;
  }
  char room[kReadRoom];
  const auto progress = pooled_.stream->read(room, sizeof room);
  switch (progress.outcome) {
    case net::Stream::Outcome::kDone:
      if (std::exchange(begun_, true)) {
        now_ = monotonic_ms();  // many readings in one go take their time
      }
      peer().stats.received += progress.count;
      pause_deadline_ = now_ + request_.read;
      return take_in(answer_.feed({room, progress.count}));
    case net::Stream::Outcome::kWaits:
      wait_for_stream();
      return false;
    case net::Stream::Outcome::kEnded:
      reusable_ = false;
      if (!begun_) {
        if (!retry()) {
          fail("closed: before an answer came");
        }
        return false;
      }
      return take_in(answer_.end());
    case net::Stream::Outcome::kFailed:
      break;
  }
  if (begun_ || !retry()) {
    const std::string error = pooled_.stream->error();
    fail(error +
         (error.find(':') == std::string::npos ? begun_ ? ": within the answer" : ": before an answer came" : ""));
  }
  return false;
}

// Whether a request does no harm by going out once more (RFC 9110 section 9.2.2), and can.
bool HttpCall::may_repeat() const {
  return !request_.streams && is_idempotent(request_.method);
}

// A pooled connection that was dead all along: the request goes out once more.
bool HttpCall::retry() {
  if (pooled_.uses == 0 || retried_ || !may_repeat()) {
    return false;
  }
  retried_ = true;
  reusable_ = true;
  --peer().stats.busy;
  pooled_ = {};
  open(true);
  return true;
}

// What came of the answer. True when there may be more to read at once.
bool HttpCall::take_in(HttpAnswer::Outcome outcome) {
  switch (outcome) {
    case HttpAnswer::Outcome::kMore:
      paused_ = request_.keeps && answer_.body().size() >= kMostUnread;
      return true;
    case HttpAnswer::Outcome::kWhole:
      finish();
      return false;
    case HttpAnswer::Outcome::kFailed:
      break;
  }
  fail(answer_.error());
  return false;
}

void HttpCall::finish() {
  PooledStream kept = std::move(pooled_);
  --peer().stats.busy;
  timer_.cancel();
  count_time();
  state_ = State::kDone;
  if (reusable_ && answer_.keeps_open()) {
    const NetworkSettings& settings = network_.settings();
    network_.http_pool().give(peer().shelf, std::move(kept), now_ + settings.idle, settings.pool_size);
  }
}

bool HttpCall::write(std::string_view bytes) {
  if (output_.size() - sent_ >= kMostUnsent && !ended()) {
    return false;
  }
  if (!bytes.empty() && !ended() && state_ != State::kReading) {
    add_chunk(output_, bytes);
    on_stream();
  }
  return true;
}

void HttpCall::end_body() {
  body_ended_ = true;
  if (!ended() && state_ != State::kReading) {
    output_ += "0\r\n\r\n";
    on_stream();
  }
}

bool HttpCall::answered() const {
  return ended() || (request_.keeps && answer_.has_head());
}

void HttpCall::take_body() {
  answer_.drop_body();
  if (paused_) {
    paused_ = false;
    now_ = monotonic_ms();
    pause_deadline_ = now_ + request_.read;
    advance();
  }
}

void HttpCall::wait_for_stream() {
  pooled_.stream->await([this] { on_stream(); });
}

// One timer for whichever deadline comes first; moving it later costs nothing.
void HttpCall::arm() {
  const bool whole = !request_.keeps || !answer_.has_head();
  if (paused_) {
    timer_.cancel();  // it waits for its reader, who may take its time
    return;
  }
  const Milliseconds next = whole ? std::min(pause_deadline_, deadline_) : pause_deadline_;
  if (!timer_.pending() || timer_.deadline() > next) {
    network_.loop().timers().add(timer_, next);
  }
}

void HttpCall::on_timer() {
  now_ = monotonic_ms();
  const bool whole = !request_.keeps || !answer_.has_head();
  if (ended() || (now_ < pause_deadline_ && (!whole || now_ < deadline_))) {
    if (!ended()) {
      arm();
    }
    return;
  }
  fail("timeout: " + stage());
  wake();
}

std::string HttpCall::stage() const {
  if (state_ == State::kConnecting && connector_ != nullptr) {
    return connector_->stage();
  }
  const std::string& host = peer().plan.url.host;
  return state_ == State::kSending ? "sending to " + host
                                   : (begun_ ? "reading the answer of " : "waiting for the answer of ") + host;
}

}  // namespace perigee::client
