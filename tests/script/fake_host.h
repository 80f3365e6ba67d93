#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/log.h"
#include "base/work_queue.h"
#include "client/network.h"
#include "files/file_cache.h"
#include "net/event_loop.h"
#include "profiler/error_desk.h"
#include "script/exchange.h"
#include "script/host.h"
#include "script/task.h"
#include "state/memory_sessions.h"
#include "state/rate_limiter.h"
#include "state/shared_dictionaries.h"
#include "state/topics.h"

/// Stands in for a worker: its time moves by hand, its streams take what the test lets them.
class FakeHost final : public perigee::script::Host {
 public:
  [[nodiscard]] perigee::TimerWheel& timers() override { return wheel; }
  [[nodiscard]] perigee::Milliseconds now() override { return std::max(now_, perigee::monotonic_ms()); }
  [[nodiscard]] Room write_stream(perigee::script::Exchange&, std::string_view bytes) noexcept override {
    if (room == Room::kWritten) {
      parts.emplace_back(bytes);
    }
    return room;
  }
  // What `arriving` holds comes when it is asked for; an empty item ends the body.
  void receive_body(perigee::script::Exchange& exchange) noexcept override {
    while (!arriving.empty() && exchange.intake->arriving()) {
      arriving.front().empty() ? exchange.end_body() : (void)exchange.keep_body(arriving.front());
      arriving.erase(arriving.begin());
    }
  }
  void await_body(perigee::script::Exchange& exchange, perigee::script::Task& waiter, bool whole) override {
    exchange.intake->await(waiter, whole);
  }
  [[nodiscard]] std::string request_id(const perigee::script::Exchange& exchange) override {
    return "id-" + std::to_string(static_cast<int>(exchange.id));
  }
  [[nodiscard]] std::string remote_address(const perigee::script::Exchange&) override { return "192.0.2.7"; }
  [[nodiscard]] std::string_view scheme(const perigee::script::Exchange&) override { return "https"; }
  [[nodiscard]] perigee::state::RateLimiter& rates() override { return *limiter; }
  [[nodiscard]] perigee::files::FileCache& files() override { return cache; }
  [[nodiscard]] perigee::state::SharedDictionaries& shared() override { return *dictionaries; }
  [[nodiscard]] perigee::client::Network& network() override {
    if (!network_) {
      loop = std::make_unique<perigee::net::EventLoop>();
      network_ = std::make_unique<perigee::client::Network>(*loop);
    }
    return *network_;
  }
  [[nodiscard]] perigee::state::SessionStore& sessions() override { return *store; }
  [[nodiscard]] const perigee::script::SessionCookie& session_cookie() override { return cookie; }
  void watch_session(perigee::script::Exchange&) override { ++watched; }
  [[nodiscard]] perigee::state::Topics& topics() override { return *topics_; }
  void listen(perigee::script::TopicListener& listener, std::string_view topic) override {
    listeners.emplace(std::string(topic), &listener);
  }
  void stop_listening(perigee::script::TopicListener& listener, std::string_view topic) noexcept override {
    std::erase_if(listeners, [&](const auto& item) { return item.first == topic && item.second == &listener; });
  }
  [[nodiscard]] perigee::profiler::ErrorDesk& errors() override { return desk; }
  [[nodiscard]] perigee::Executor& executor() override { return posts; }
  void outgrown(std::size_t bytes) override { outgrown_by = bytes; }
  [[nodiscard]] perigee::WorkQueue& helpers() override { return work; }
  [[nodiscard]] bool begin_operation(perigee::script::Task& task, std::string_view name) override {
    operating = &task;
    return name == "known";
  }

  /// Lets `seconds` pass.
  void pass(double seconds) {
    now_ = std::max(now_, perigee::monotonic_ms()) + static_cast<perigee::Milliseconds>(seconds * 1000);
    wheel.advance(now_);
  }

  /// Runs what the VM's thread posts at once, and what others do when it is asked to.
  class Posts final : public perigee::Executor {
   public:
    void post(std::function<void()> work) override {
      if (std::this_thread::get_id() == thread_) {
        work();
        return;
      }
      const std::lock_guard lock(mutex_);
      posted_.push_back(std::move(work));
      arrived_.notify_all();
    }
    /// Runs what was posted; waits for something to be, for ten seconds at most, where there is `more` to come.
    void run(bool more) {
      std::vector<std::function<void()>> taken;
      {
        std::unique_lock lock(mutex_);
        arrived_.wait_for(lock, std::chrono::seconds(10), [&] { return !more || !posted_.empty(); });
        taken.swap(posted_);
      }
      for (const auto& work : taken) {
        work();
      }
    }

   private:
    const std::thread::id thread_ = std::this_thread::get_id();
    std::mutex mutex_;
    std::condition_variable arrived_;
    std::vector<std::function<void()>> posted_;
  };

  perigee::TimerWheel wheel{perigee::monotonic_ms()};
  perigee::files::FileCache cache{{}};
  Room room = Room::kWritten;
  std::size_t outgrown_by = 0;
  std::vector<std::string> parts;
  std::vector<std::string> arriving;
  perigee::script::Task* operating = nullptr;
  std::unique_ptr<perigee::state::RateLimiter> limiter = std::make_unique<perigee::state::RateLimiter>();
  std::shared_ptr<perigee::state::SharedDictionaries> dictionaries =
      std::make_shared<perigee::state::SharedDictionaries>();
  std::shared_ptr<perigee::state::MemorySessions> store = std::make_shared<perigee::state::MemorySessions>(
      perigee::state::SessionStore::Settings(), perigee::monotonic_ms());
  perigee::script::SessionCookie cookie;
  int watched = 0;
  perigee::profiler::ErrorDesk desk;
  Posts posts;
  perigee::WorkQueue work{1, 4};
  std::unique_ptr<perigee::net::EventLoop> loop;  ///< made for whoever connects
  std::shared_ptr<perigee::state::Topics> topics_ = std::make_shared<perigee::state::Topics>();
  std::multimap<std::string, perigee::script::TopicListener*> listeners;

 private:
  std::unique_ptr<perigee::client::Network> network_;
  perigee::Milliseconds now_ = 0;
};

/// Takes the place of the error log for one test, and keeps each event.
class EventLog final : public perigee::LogSink {
 public:
  struct Event {
    perigee::LogLevel level;
    std::string message, fields, request_id;
  };

  explicit EventLog(perigee::LogLevel lowest = perigee::LogLevel::kDebug) : lowest_(lowest) {
    perigee::set_log_sink(this);
  }
  ~EventLog() override { perigee::set_log_sink(nullptr); }
  EventLog(const EventLog&) = delete;
  EventLog& operator=(const EventLog&) = delete;

  void write(perigee::LogLevel level, std::string_view message) override { write(level, message, "", ""); }
  void write(perigee::LogLevel level, std::string_view message, std::string_view fields, std::string_view id) override {
    events.push_back({level, std::string(message), std::string(fields), std::string(id)});
  }
  [[nodiscard]] bool enabled(perigee::LogLevel level) const override { return level >= lowest_; }

  /// The messages, one a line.
  [[nodiscard]] std::string text() const {
    std::string all;
    for (const Event& event : events) {
      all += event.message + "\n";
    }
    return all;
  }

  std::vector<Event> events;

 private:
  perigee::LogLevel lowest_;
};
