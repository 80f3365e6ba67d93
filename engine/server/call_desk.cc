#include "server/call_desk.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "server/profile_desk.h"

namespace perigee::server {
namespace {

constexpr std::size_t kRows = 60;
constexpr int kCollectorHertz = 1000;  // the collector's share is sampled

}  // namespace

void CallDesk::request(std::uint64_t number, const std::string& request, Done done) {
  const double seconds = std::strtod(request.c_str(), nullptr);
  if (!(seconds > 0 && seconds <= ProfileRequest::kMostSeconds)) {
    done("!calls are counted for more than 0 and at most 600 seconds");
  } else if (orders_.size() >= kMostWaiting) {
    done("!too many wait for calls to be counted");
  } else {
    orders_.push_back({number, seconds, std::move(done)});
    if (orders_.size() == 1) {
      begin();
    }
  }
}

void CallDesk::forget(std::uint64_t number) {
  const auto order =
      std::find_if(orders_.begin(), orders_.end(), [&](const Order& one) { return one.number == number; });
  if (order == orders_.end()) {
    return;
  }
  if (order != orders_.begin()) {
    orders_.erase(order);
  } else if (recording_ != 0) {  // else its answer is on its way
    recorder_.cancel(std::exchange(recording_, 0));
    stop();
    proceed();
  }
}

void CallDesk::begin() {
  table_ = {};
  ask("begin_counting", [](const std::string&) {});
  const auto begun = recorder_.record(
      profiler::ProfileKind::kCpu, orders_.front().seconds, kCollectorHertz,
      [this, number = orders_.front().number](const profiler::Profile& cpu) {
        loop_.post([this, number, cpu = std::make_shared<profiler::Profile>(cpu)] { end(number, *cpu); });
      });
  if (begun) {
    recording_ = *begun;
    return;
  }
  stop();
  answer("!" + begun.error().message);
}

void CallDesk::stop() {
  ask("end_counting", [](const std::string&) {});
}

void CallDesk::end(std::uint64_t number, const profiler::Profile& cpu) {
  if (orders_.empty() || orders_.front().number != number) {
    return;  // it was forgotten meanwhile
  }
  recording_ = 0;
  auto collections = std::make_shared<profiler::Profile>(cpu);
  missing_ = 2 * workers_.size();
  const auto count = [this, collections] {
    if (--missing_ == 0) {
      table_.take_collections(*collections);
      answer(table_.text(kRows));
    }
  };
  ask("end_counting", [this, count](const std::string& text) {
    table_.read_counts(text);
    count();
  });
  ask("functions_text", [this, count](const std::string& text) {
    table_.read_functions(text);
    count();
  });
}

// Calls `take` on the main thread with what each worker's app says.
void CallDesk::ask(const char* what, const std::function<void(const std::string& text)>& take) {
  for (const auto& worker : workers_) {
    worker->describe(what,
                     [this, take](std::string text) { loop_.post([take, text = std::move(text)] { take(text); }); });
  }
}

void CallDesk::answer(const std::string& text) {
  const Done done = orders_.front().done;
  proceed();
  done(text);
}

// The first is done with.
void CallDesk::proceed() {
  orders_.pop_front();
  if (!orders_.empty()) {
    begin();
  }
}

}  // namespace perigee::server
