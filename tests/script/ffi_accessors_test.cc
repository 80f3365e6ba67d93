#include "vm_fixture.h"

using perigee::script::CancelReason;
using perigee::script::Host;
using Outcome = perigee::script::Dispatcher::Outcome;

namespace {

// A request whose answer streams by `code`; its head counts as sent.
struct Streaming {
  explicit Streaming(const std::string& code)
      : loaded("app:get('/', function(req) return perigee.stream(function(write) " + code + " end) end)"),
        request(loaded, get("/")) {
    REQUIRE(request.outcome == Outcome::kAnswered);
    REQUIRE(request.exchange.answer.kind == perigee::script::Answer::Kind::kStream);
  }
  [[nodiscard]] Outcome begin() { return request.outcome = loaded.last = loaded.dispatcher.stream(request.exchange); }

  LoadedVm loaded;
  Request request;
};

}  // namespace

TEST_CASE("stream: what is written goes to the host part by part") {
  Streaming streaming("write('one') write('') write(2) write('a\\0b')");
  CHECK(streaming.begin() == Outcome::kStreamed);
  CHECK(streaming.loaded.host.parts == std::vector<std::string>{"one", "", "2", std::string("a\0b", 3)});
}

TEST_CASE("stream: write returns true, or nil and closed once the client has gone") {
  const EventLog log;
  Streaming streaming(
      "perigee.log.info(tostring(write('x'))) perigee.sleep(1)"
      " local v, err = write('y') perigee.log.info(tostring(v) .. err)");
  REQUIRE(streaming.begin() == Outcome::kWaiting);
  streaming.loaded.host.room = Host::Room::kClosed;
  streaming.loaded.pass(2);
  CHECK(streaming.request.settle() == Outcome::kStreamed);
  CHECK(log.text() == "true\nnilclosed\n");
}

TEST_CASE("stream: a full client makes write wait until there is room") {
  Streaming streaming("write('first') write('second')");
  streaming.loaded.host.room = Host::Room::kFull;
  REQUIRE(streaming.begin() == Outcome::kWaiting);
  streaming.loaded.pass(10);
  CHECK(streaming.request.settle() == Outcome::kWaiting);
  streaming.loaded.vm->make_ready(*streaming.request.exchange.task);
  streaming.loaded.run_ready();
  CHECK(streaming.request.settle() == Outcome::kWaiting);
  CHECK(streaming.loaded.host.parts.empty());
  streaming.loaded.host.room = Host::Room::kWritten;
  streaming.loaded.vm->make_ready(*streaming.request.exchange.task);
  streaming.loaded.run_ready();
  CHECK(streaming.request.settle() == Outcome::kStreamed);
  CHECK(streaming.loaded.host.parts == std::vector<std::string>{"first", "second"});
}

TEST_CASE("stream: a client that goes while write waits closes it") {
  const EventLog log;
  Streaming streaming("local v, err = write('x') perigee.log.info(tostring(v) .. err)");
  streaming.loaded.host.room = Host::Room::kFull;
  REQUIRE(streaming.begin() == Outcome::kWaiting);
  streaming.loaded.host.room = Host::Room::kClosed;
  streaming.loaded.vm->cancel(*streaming.request.exchange.task, CancelReason::kClientGone);
  streaming.loaded.run_ready();
  CHECK(streaming.request.settle() == Outcome::kStreamed);
  CHECK(log.text() == "nilclosed\n");
}

TEST_CASE("stream: a drain raises in a write that waits, and breaks the stream") {
  const EventLog log;
  Streaming streaming("write('x')");
  streaming.loaded.host.room = Host::Room::kFull;
  REQUIRE(streaming.begin() == Outcome::kWaiting);
  streaming.loaded.vm->cancel(*streaming.request.exchange.task, CancelReason::kDraining);
  streaming.loaded.run_ready();
  CHECK(streaming.request.settle() == Outcome::kBroken);
}

TEST_CASE("stream: an error in its middle breaks it, and is logged with its traceback") {
  const EventLog log;
  Streaming streaming("write('x') error('oops')");
  CHECK(streaming.begin() == Outcome::kBroken);
  REQUIRE(log.events.size() == 1);
  CHECK(log.events[0].message.find("app.lua:2: oops\nstack traceback:") != std::string::npos);
  CHECK(log.events[0].request_id == "id-1");
  CHECK(streaming.request.finish() == Outcome::kDone);
  CHECK(streaming.loaded.vm->busy_tasks() == 0);
}

TEST_CASE("stream: write takes strings and numbers only") {
  const EventLog log;
  Streaming streaming("local ok, err = pcall(write, {}) perigee.log.info(err)");
  CHECK(streaming.begin() == Outcome::kStreamed);
  CHECK(log.text() == "bad argument #1 to 'write' (string expected, got table)\n");
}

TEST_CASE("stream: a write that is kept past the end says closed") {
  const EventLog log;
  LoadedVm loaded(
      "app:get('/', function() return perigee.stream(function(write) kept = write end) end)\n"
      "app:get('/late', function() local v, err = kept('x') return tostring(v) .. err end)");
  {
    Request request(loaded, get("/"));
    CHECK(loaded.dispatcher.stream(request.exchange) == Outcome::kStreamed);
  }
  CHECK(answer_to(loaded, get("/late")) == "200 nilclosed");
  CHECK(loaded.host.parts.empty());
}

TEST_CASE("stream: another task may write to it") {
  Streaming streaming("perigee.spawn(function() write('by another') end):wait() write('by itself')");
  REQUIRE(streaming.begin() == Outcome::kWaiting);
  streaming.loaded.run_ready();
  CHECK(streaming.request.settle() == Outcome::kStreamed);
  CHECK(streaming.loaded.host.parts == std::vector<std::string>{"by another", "by itself"});
}

TEST_CASE("rates: a token is taken, or none is left and it is said when there will be one") {
  LoadedVm loaded(
      "local ffi, native = require 'ffi', require 'perigee.native' local out = ffi.new('double[3]')\n"
      "app:get('/', function(req)\n"
      "  local taken = native.C.perigee_take_rate(req[1], 'key', 3, 1000, 2, out)\n"
      "  return taken .. ' ' .. out[0] .. ' ' .. math.ceil(out[1] / 1000) .. ' ' .. math.ceil(out[2] / 1000) end)");
  CHECK(answer_to(loaded, get("/")) == "200 1 1 0 1");
  CHECK(answer_to(loaded, get("/")) == "200 1 0 0 2");
  CHECK(answer_to(loaded, get("/")) == "200 0 0 1 2");
}

TEST_CASE("req: scheme and address come from the host, again and again") {
  LoadedVm loaded("app:get('/', function(req) return req.scheme .. ' ' .. req.remote_addr end)");
  for (int i = 0; i < 50; ++i) {
    CHECK(answer_to(loaded, get("/")) == "200 https 192.0.2.7");
  }
}
