// How handlers read bodies, whole and in parts, that are there or still arrive.

#include "vm_fixture.h"

namespace {

/// A POST whose body arrives after its handler was called.
class Arriving {
 public:
  Arriving(LoadedVm& loaded, const std::string& target) : loaded_(loaded) {
    bytes_ = "POST " + target + " HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n";
    REQUIRE(exchange.scanner.scan(bytes_.data(), bytes_.size(), {}, exchange.head) ==
            perigee::http::HeadScanner::Verdict::kComplete);
    exchange.publish();
    exchange.open_intake().begin();
    exchange.view.body_state = perigee::script::kBodyArriving;
    const auto match =
        loaded.vm->router().match(exchange.head.method, "POST", exchange.head.path(), exchange.parameters);
    REQUIRE(match.outcome == perigee::http::Router::Outcome::kFound);
    loaded.last = loaded.dispatcher.call(exchange, match.route);
  }
  ~Arriving() {
    (void)loaded_.dispatcher.finish(exchange);
    exchange.shed(true);
  }
  Arriving(const Arriving&) = delete;
  Arriving& operator=(const Arriving&) = delete;

  /// What comes next; "" is the end.
  void come(const std::string& bytes) {
    bytes.empty() ? exchange.end_body() : (void)exchange.keep_body(bytes);
    exchange.intake->wake(exchange.body);
    loaded_.run_ready();
  }
  void fail(int status, std::string_view word, std::string_view detail) {
    exchange.intake->fail(status, word, detail);
    exchange.intake->wake(exchange.body);
    loaded_.run_ready();
  }
  [[nodiscard]] bool waits() const { return loaded_.last == LoadedVm::Outcome::kWaiting; }
  [[nodiscard]] std::string answer() const {
    REQUIRE(loaded_.last == LoadedVm::Outcome::kAnswered);
    return std::to_string(exchange.answer.status) + " " + std::string(exchange.answer.body);
  }

  perigee::script::Exchange exchange;

 private:
  LoadedVm& loaded_;
  std::string bytes_;
};

const char* const kApp = R"lua(
app:post("/whole", function(req) return req.body .. "|" .. req:raw() end)
app:post("/parts/{n:integer}", function(req)
  local parts = {}
  for bytes in function() return req:read(req.params.n) end do parts[#parts + 1] = bytes end
  return table.concat(parts, "|")
end)
app:post("/all", function(req)
  local bytes, err = req:read()
  local more, why = req:read(100)
  return tostring(bytes) .. tostring(err) .. "|" .. tostring(more) .. tostring(why)
end)
app:post("/mixed", function(req)
  req:read(1)
  local ok, err = pcall(function() return req.body end)
  return tostring(err)
end)
app:post("/again", function(req)
  local first, second = pcall(function() return req.body end)
  local ok, err = pcall(function() return req.body end)
  return err.body.detail .. "|" .. tostring(second == err) .. "|" .. err.status
end)
app:post("/sort", function(req)
  local ok, err = pcall(table.sort, { 2, 1 }, function() return req.body end)
  return tostring(err) .. "|" .. req.body
end)
app:post("/bad", function(req) req:read(0) end)
)lua";

std::string post(const std::string& target, const std::string& body) {
  return "POST " + target + " HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         body;
}

}  // namespace

TEST_CASE("bodies: one that is there is read whole or in parts without waiting") {
  LoadedVm loaded(kApp);
  CHECK(answer_to(loaded, post("/whole", "abcde")) == "200 abcde|abcde");
  CHECK(answer_to(loaded, post("/parts/2", "abcde")) == "200 ab|cd|e");
  CHECK(answer_to(loaded, post("/parts/9", "abcde")) == "200 abcde");
  CHECK(answer_to(loaded, post("/parts/9", "")) == "200 ");
  CHECK(answer_to(loaded, post("/all", "abcde")) == "200 abcdenil|nilnil");
}

TEST_CASE("bodies: the whole is waited for") {
  LoadedVm loaded(kApp);
  Arriving request(loaded, "/whole");
  CHECK(request.waits());
  request.come("abc");
  request.come("de");
  CHECK(request.waits());
  request.come("");
  CHECK(request.answer() == "200 abcde|abcde");
}

TEST_CASE("bodies: parts are had as they come") {
  LoadedVm loaded(kApp);
  Arriving request(loaded, "/parts/2");
  request.come("abc");
  CHECK(request.exchange.intake->unread(request.exchange.body).empty());
  request.come("d");
  request.come("");
  CHECK(request.answer() == "200 ab|c|d");
}

TEST_CASE("bodies: a failure is a problem to who wants the whole, again and again") {
  LoadedVm loaded(kApp);
  Arriving request(loaded, "/again");
  request.come("abc");
  request.fail(413, "too_large", "more than that");
  CHECK(request.answer() == "200 more than that|false|413");
}

TEST_CASE("bodies: a failure that nobody catches is the answer") {
  LoadedVm loaded(kApp);
  Arriving request(loaded, "/whole");
  request.fail(408, "timeout", "too slow");
  CHECK(request.answer().starts_with("408 {"));
  CHECK(request.answer().find("too slow") != std::string::npos);
}

TEST_CASE("bodies: a failure comes to who reads parts behind what had come") {
  LoadedVm loaded(kApp);
  Arriving request(loaded, "/all");
  request.come("abc");
  request.fail(400, "closed", "it broke off");
  CHECK(request.answer() == "200 abcnil|nilclosed: it broke off");
}

TEST_CASE("bodies: a part taken, the whole can't be had, there or arriving") {
  LoadedVm loaded(kApp);
  CHECK(answer_to(loaded, post("/mixed", "abc")).find("req:read has taken a part") != std::string::npos);
  Arriving request(loaded, "/mixed");
  request.come("abc");
  CHECK(request.answer().find("req:read has taken a part") != std::string::npos);
}

TEST_CASE("bodies: where nothing may wait an error says so, and the body can be had later") {
  LoadedVm loaded(kApp);
  Arriving request(loaded, "/sort");
  request.come("abc");
  request.come("");
  CHECK(request.answer().find("can't wait here") != std::string::npos);
  CHECK(request.answer().ends_with("|abc"));
}

TEST_CASE("bodies: a part of no bytes is a mistake") {
  const EventLog log;
  LoadedVm loaded(kApp);
  CHECK(answer_to(loaded, post("/bad", "abc")).starts_with("500"));
  CHECK(log.text().find("bad argument #1 to 'read'") != std::string::npos);
}
