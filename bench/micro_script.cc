// Parts of engine/script: JSON both ways, and a request's way from its bytes through a handler in Lua to the answer's
// parts, without a socket. The host is that of the tests.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <lua.hpp>
#include <memory>
#include <string>
#include <vector>

#include "script/dispatcher.h"
#include "script/exchange.h"
#include "script/fake_host.h"
#include "script/json_decoder.h"
#include "script/json_encoder.h"
#include "script/vm.h"

namespace {

using perigee::script::Dispatcher;
using perigee::script::Exchange;
using perigee::script::Vm;

const std::string kApp = "bench/app.lua";
const std::string kJson =
    R"({"name":"Ada Lovelace","email":"ada@example.org","age":36,"score":97.5,"active":true,"born":"1815-12-10",)"
    R"("id":"123e4567-e89b-12d3-a456-426614174000","role":"admin","tags":["a","b","c"],"note":"a line of text"})";

/// The bench's app in a VM.
struct Loaded {
  FakeHost host;
  std::unique_ptr<Vm> vm;

  Loaded() {
    perigee::script::VmSettings settings;
    settings.app_path = kApp;
    std::vector<std::string> mistakes;
    vm = Vm::load(settings, mistakes);
    if (vm == nullptr) {
      std::fprintf(stderr, "%s\n", mistakes.at(0).c_str());
      std::exit(1);
    }
    vm->attach(host);
  }
};

Loaded& loaded() {
  static Loaded one;
  return one;
}

void json_decode(benchmark::State& state) {
  lua_State* lua = loaded().vm->state();
  std::string error;
  for (auto _ : state) {
    if (!perigee::script::decode_json(lua, kJson, {}, error)) {
      state.SkipWithError(error.c_str());
      break;
    }
    lua_pop(lua, 1);
  }
}

void json_encode(benchmark::State& state) {
  lua_State* lua = loaded().vm->state();
  std::string error;
  perigee::BufferPool blocks;
  perigee::ByteBuffer out(blocks);
  if (!perigee::script::decode_json(lua, kJson, {}, error)) {
    state.SkipWithError(error.c_str());
    return;
  }
  for (auto _ : state) {
    out.truncate(0);
    perigee::script::JsonEncoder encoder(lua, out, 64);
    if (!encoder.encode(-1)) {
      state.SkipWithError(encoder.error().c_str());
      break;
    }
  }
  lua_pop(lua, 1);
}

// Head, route, handler, answer: what a worker does for a request between reading and writing.
void dispatch(benchmark::State& state, const std::string& bytes) {
  Vm& vm = *loaded().vm;
  Dispatcher dispatcher(vm);
  Exchange exchange;
  for (auto _ : state) {
    exchange.reset();
    if (exchange.scanner.scan(bytes.data(), bytes.size(), {}, exchange.head) !=
        perigee::http::HeadScanner::Verdict::kComplete) {
      state.SkipWithError("refused");
      break;
    }
    exchange.publish();
    const auto match = vm.router().match(exchange.head.method, exchange.head.text(exchange.head.method_text),
                                         exchange.head.path(), exchange.parameters);
    exchange.view.parameter_count = exchange.parameters.count;
    if (match.outcome != perigee::http::Router::Outcome::kFound ||
        dispatcher.call(exchange, match.route) != Dispatcher::Outcome::kAnswered || exchange.answer.status != 200) {
      state.SkipWithError("not answered");
      break;
    }
    (void)dispatcher.finish(exchange);
    exchange.task = nullptr;
  }
}

void dispatch_hello(benchmark::State& state) {
  dispatch(state, "GET / HTTP/1.1\r\nHost: localhost:8080\r\n\r\n");
}

void dispatch_typed(benchmark::State& state) {
  dispatch(state,
           "GET /users/1234?color=green HTTP/1.1\r\nHost: localhost:8080\r\nCookie: uid=0123456789abcdef\r\n\r\n");
}

BENCHMARK(json_decode);
BENCHMARK(json_encode);
BENCHMARK(dispatch_hello);
BENCHMARK(dispatch_typed);

}  // namespace
