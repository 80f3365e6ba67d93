#pragma once

#include <catch2/catch.hpp>
#include <functional>
#include <lua.hpp>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "../server/scratch.h"
#include "fake_host.h"
#include "script/dispatcher.h"
#include "script/exchange.h"
#include "script/vm.h"

/// A VM with an app of a test's own, on a FakeHost. What runs in it is driven by hand.
class LoadedVm {
 public:
  using Outcome = perigee::script::Dispatcher::Outcome;

  /// `app` is what stands between `local app = perigee.app()` and `return app` (line 2 of app.lua on).
  explicit LoadedVm(const std::string& app, const perigee::script::VmSettings& settings = {})
      : vm(loaded(scratch.file("app.lua", whole(app)), settings)), dispatcher(*vm) {
    vm->attach(host);
  }
  /// An app that has a file already.
  struct AppFile {
    std::string path;
  };
  explicit LoadedVm(const AppFile& file) : vm(loaded(file.path, {})), dispatcher(*vm) { vm->attach(host); }
  LoadedVm(const LoadedVm&) = delete;
  LoadedVm& operator=(const LoadedVm&) = delete;

  /// Loads a file as it is.
  static std::unique_ptr<perigee::script::Vm> load(const std::string& path, std::vector<std::string>& mistakes) {
    perigee::script::VmSettings settings;
    settings.app_path = path;
    return perigee::script::Vm::load(settings, mistakes);
  }

  /// Resumes what is ready, until nothing is. An exchange's outcome is kept in `outcomes`.
  void run_ready() {
    while (vm->has_ready()) {
      for (perigee::script::Task* task : vm->take_ready()) {
        perigee::script::Exchange* exchange = task->exchange;
        try {
          const Outcome outcome = dispatcher.resume(*task);
          if (exchange != nullptr) {
            last = outcome;
          }
        } catch (const std::bad_alloc&) {  // as a worker drops it
          dropped = dropped || exchange != nullptr;
        }
      }
    }
  }

  /// Lets time pass, and what it wakes run.
  void pass(double seconds) {
    host.pass(seconds);
    run_ready();
  }

  /// Runs the protected `body` with the VM's main state; fails the test when it raises.
  void in_lua(const std::function<void(lua_State*)>& body) {
    lua_State* state = vm->state();
    const int top = lua_gettop(state);
    const int status = lua_cpcall(
        state,
        [](lua_State* inner) {
          (*static_cast<const std::function<void(lua_State*)>*>(lua_touserdata(inner, 1)))(inner);
          return 0;
        },
        const_cast<std::function<void(lua_State*)>*>(&body));
    if (status != 0) {
      FAIL(lua_tostring(state, -1));
    }
    CHECK(lua_gettop(state) == top);
  }

  Scratch scratch;
  FakeHost host;
  std::unique_ptr<perigee::script::Vm> vm;
  perigee::script::Dispatcher dispatcher;
  Outcome last = Outcome::kDone;  ///< of the exchange that was resumed last
  bool dropped = false;           ///< an exchange was resumed, and there was no memory for what came of it

 private:
  static std::string whole(const std::string& app) {
    return "local perigee = require 'perigee' local app = perigee.app()\n" + app + "\nreturn app\n";
  }
  static std::unique_ptr<perigee::script::Vm> loaded(const std::string& path, perigee::script::VmSettings settings) {
    settings.app_path = path;
    std::vector<std::string> mistakes;
    auto made = perigee::script::Vm::load(settings, mistakes);
    if (made == nullptr) {
      FAIL("the test's app does not load: " + mistakes.at(0));
    }
    return made;
  }
};

/// One request to a LoadedVm, from its bytes to its answer.
class Request {
 public:
  using Outcome = perigee::script::Dispatcher::Outcome;

  /// Scans the bytes, finds the route and calls its handler, as a worker does.
  Request(LoadedVm& loaded, std::string bytes, double id = 1) : loaded_(loaded), bytes_(std::move(bytes)) {
    exchange.id = id;
    REQUIRE(exchange.scanner.scan(bytes_.data(), bytes_.size(), {}, exchange.head) ==
            perigee::http::HeadScanner::Verdict::kComplete);
    exchange.body = bytes_.substr(exchange.head.size);
    exchange.publish();
    const auto match = loaded.vm->router().match(exchange.head.method, exchange.head.text(exchange.head.method_text),
                                                 exchange.head.path(), exchange.parameters);
    REQUIRE(match.outcome == perigee::http::Router::Outcome::kFound);
    exchange.view.parameter_count = exchange.parameters.count;
    try {
      outcome = loaded.last = loaded.dispatcher.call(exchange, match.route);
    } catch (const std::bad_alloc&) {  // as a worker drops it
      if (exchange.task != nullptr) {
        (void)finish();
      }
      throw;
    }
  }
  ~Request() {
    if (exchange.task != nullptr) {
      (void)finish();
    }
  }
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  /// Takes up what came of it while it waited.
  Outcome settle() { return outcome = loaded_.last; }

  /// Lets time pass until it is answered; fails the test when ten minutes are not enough.
  void complete() {
    loaded_.run_ready();
    for (int i = 0; i < 600 && settle() == Outcome::kWaiting; ++i) {
      loaded_.host.posts.run(loaded_.vm->errands().any());
      loaded_.pass(1);
    }
    REQUIRE(settle() != Outcome::kWaiting);
  }

  Outcome finish() {
    const Outcome end = loaded_.dispatcher.finish(exchange);
    exchange.task = nullptr;
    return end;
  }

  [[nodiscard]] int status() const { return exchange.answer.status; }
  [[nodiscard]] std::string body() const { return std::string(exchange.answer.body); }
  [[nodiscard]] std::string type() const { return std::string(exchange.answer.content_type); }
  [[nodiscard]] std::string fields() const { return std::string(exchange.answer.fields.view()); }

  perigee::script::Exchange exchange;
  Outcome outcome = Outcome::kDone;

 private:
  LoadedVm& loaded_;
  std::string bytes_;
};

/// The bytes of a GET.
inline std::string get(const std::string& target, const std::string& fields = "") {
  return "GET " + target + " HTTP/1.1\r\nHost: example\r\n" + fields + "\r\n";
}

/// What a GET of `target` is answered, complete: "200 body".
inline std::string answer_to(LoadedVm& loaded, const std::string& bytes) {
  Request request(loaded, bytes);
  if (request.outcome == Request::Outcome::kWaiting) {
    request.complete();
  }
  REQUIRE(request.outcome == Request::Outcome::kAnswered);
  return std::to_string(request.status()) + " " + request.body();
}
