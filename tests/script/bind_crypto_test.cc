#include "vm_fixture.h"

namespace {

// What a handler with this body answers.
std::string answered(const std::string& code) {
  LoadedVm loaded("local core = require 'perigee.core' app:get('/', function() " + code + " end)");
  return answer_to(loaded, get("/"));
}

}  // namespace

TEST_CASE("core.random: as many bytes as were asked for, never the same") {
  CHECK(answered("return #core.random(0) .. ' ' .. #core.random(33)") == "200 0 33");
  CHECK(answered("return tostring(core.random(16) == core.random(16))") == "200 false");
  CHECK(answered("return tostring(pcall(core.random, -1))") == "200 false");
  CHECK(answered("return tostring(pcall(core.random, 2^31))") == "200 false");
}

TEST_CASE("core.hmac: depends on key and text") {
  CHECK(answered("return #core.hmac('k', 't') .. tostring(core.hmac('k', 't') == core.hmac('k', 't'))") ==
        "200 32true");
  CHECK(answered("return tostring(core.hmac('k', 't') == core.hmac('l', 't'))") == "200 false");
}

TEST_CASE("perigee.crypto.password_hash: the task waits, and the hash is of its password") {
  LoadedVm loaded(
      "app:get('/', function() local hash = perigee.crypto.password_hash('secret')"
      " return { hash:match('^%$argon2id%$') ~= nil, perigee.crypto.password_verify('secret', hash),"
      " perigee.crypto.password_verify('other', hash) } end)");
  Request request(loaded, get("/"));
  REQUIRE(request.outcome == Request::Outcome::kWaiting);
  request.complete();
  CHECK(request.body() == "[true,true,false]");
}

TEST_CASE("perigee.crypto.password_hash: one too many is told so") {
  LoadedVm loaded(
      "local told, hashed, go = {}, 0, false app:get('/', function() local tasks = {}"
      " for i = 1, 40 do tasks[i] = function() return perigee.crypto.password_hash('x') end end"
      " local results, errors = perigee.all(tasks) for i = 1, 40 do"
      "   if results[i] then hashed = hashed + 1 else told[errors[i]] = true end end"
      " return next(told) .. ' ' .. tostring(hashed > 3 and hashed < 40) end)");
  CHECK(answer_to(loaded, get("/")) == "200 full: too many passwords wait for their turn true");
}

TEST_CASE("perigee.crypto.password_hash: who gives up is not woken, and its work that has not begun is not done") {
  LoadedVm loaded(
      "local kept app:get('/', function() kept = perigee.spawn(perigee.crypto.password_hash, 'x')"
      " perigee.sleep(0) kept:cancel() local _, err = kept:wait() return err:match('^[^\\n]*') end)");
  CHECK(answer_to(loaded, get("/")) == "200 cancelled");
  CHECK_FALSE(loaded.vm->errands().any());
  loaded.host.work.stop();
  loaded.host.posts.run(false);
  loaded.run_ready();
  CHECK(loaded.vm->busy_tasks() == 0);
}

TEST_CASE("perigee.crypto.password_hash: a VM may close while it is made") {
  auto loaded = std::make_unique<LoadedVm>("app:get('/', function() return perigee.crypto.password_hash('x') end)");
  auto request = std::make_unique<Request>(*loaded, get("/"));
  REQUIRE(request->outcome == Request::Outcome::kWaiting);
  request.reset();
  loaded.reset();
}

TEST_CASE("core.process_key: every VM of the process has the same") {
  const std::string first = answered("return (core.process_key():gsub('.', function(c) return c:byte() .. ' ' end))");
  CHECK(first == answered("return (core.process_key():gsub('.', function(c) return c:byte() .. ' ' end))"));
  CHECK(answered("return tostring(#core.process_key())") == "200 32");
}
