// What the admin app asks of the server.

#include <algorithm>
#include <charconv>
#include <memory>
#include <utility>

#include "server/admin.h"
#include "server/server.h"

namespace perigee::server {

// Has `done` called with what the loaded app says of itself on each worker: {"workers":[...]}. Main thread.
void Server::describe_workers(const char* what, const std::function<void(std::string)>& done) {
  struct Gathered {
    std::vector<std::string> texts;
    std::size_t missing;
  };
  auto gathered = std::make_shared<Gathered>(Gathered{std::vector<std::string>(workers_.size()), workers_.size()});
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    workers_[i]->describe(what, [this, i, gathered, done](std::string text) {
      loop_.post([i, gathered, done, text = std::move(text)] {
        gathered->texts[i] = text;
        if (--gathered->missing > 0) {
          return;
        }
        std::string json = "{\"workers\":[";
        for (const std::string& each : gathered->texts) {
          json += (json.back() == '[' ? "" : ",") + each;
        }
        done(json + "]}");
      });
    });
  }
}

// "profile NUMBER ...", "calls NUMBER SECONDS", or "forget NUMBER", which gives no answer. False: it is none of them.
bool Server::begin_recording(std::string_view name, const std::function<void(std::string)>& done) {
  const std::string_view what = name.substr(0, name.find(' '));
  if (what != "profile" && what != "calls" && what != "forget") {
    return false;
  }
  std::uint64_t number = 0;
  const std::string_view rest = name.substr(std::min(name.size(), what.size() + 1));
  const char* const end = std::from_chars(rest.data(), rest.data() + rest.size(), number).ptr;
  const std::string wanted(std::min(end + 1, rest.data() + rest.size()), rest.data() + rest.size());
  if (what == "profile") {
    profiles_.record(number, wanted, done);
  } else if (what == "calls") {
    loop_.post([this, number, wanted, done] { calls_.request(number, wanted, done); });
  } else {
    profiles_.forget(number);
    loop_.post([this, number] { calls_.forget(number); });
  }
  return true;
}

void Server::operate(std::string_view name, const std::function<void(std::string)>& done) {
  if (name == "ready") {
    done(ready_ ? R"({"ready":true})" : R"({"ready":false})");
    return;
  }
  if (name == "jit") {
    loop_.post([this, done] { describe_workers("jit_json", done); });
    return;
  }
  if (name == "dashboard") {
    loop_.post([this, done] { dashboard_.request(done); });
    return;
  }
  if (name == "metrics") {
    loop_.post([this, done] { metrics_.request(done); });
    return;
  }
  if (begin_recording(name, done)) {
    return;
  }
  // The reloader belongs to the main thread.
  loop_.post([this, name = std::string(name), done] {
    if (draining_) {
      done(R"({"ok":false,"routes":[],"mistakes":["the server is stopping"]})");
    } else if (name == "routes") {
      done("{\"routes\":" + reloader_->routes_json() + "}");
    } else if (name == "openapi") {
      done(reloader_->openapi_json());
    } else {
      reloader_->request([this, done](const ReloadResult& result) {
        after_reload(result);
        done(reload_json(result));
      });
    }
  });
}

}  // namespace perigee::server
