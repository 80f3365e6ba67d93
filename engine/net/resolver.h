#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/timer_wheel.h"
#include "net/event_loop.h"
#include "net/name_cache.h"

struct ares_channeldata;
struct ares_addrinfo;

namespace perigee::net {

/// How names are looked up.
struct ResolverSettings {
  std::vector<std::string> nameservers;  ///< "192.0.2.1", "192.0.2.1:5353", "[2001:db8::1]:53"; none: resolv.conf's
  Milliseconds timeout = 2000;           ///< for the first answer of one server; each further round waits longer
  int tries = 2;                         ///< rounds over the servers
  std::size_t cached = 1000;             ///< names that are kept

  bool operator==(const ResolverSettings&) const = default;
};

/// Finds the addresses of names by c-ares: /etc/hosts first, then DNS, as resolv.conf says. IPv6 and IPv4 are asked for
/// together and come in the order of RFC 6724. Answers are kept for their ttl, "no such name" for a second. Who asks
/// for a name that is being asked for joins in. Loop thread only.
class Resolver {
 public:
  using Done = std::function<void(const NameAnswer& answer)>;

  Resolver(EventLoop& loop, const ResolverSettings& settings);
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  /// Whether a text may stand in `nameservers`.
  [[nodiscard]] static Result<> check_nameserver(const std::string& text);

  /// Calls `done` with what `host`, a name or an IP address, stands for: at once where that is known, and 0 is
  /// returned; else later, and cancel() may take it back. `done` may call resolve() and cancel().
  [[nodiscard]] std::uint64_t resolve(std::string_view host, Done done);

  /// `done` is not called any more.
  void cancel(std::uint64_t ticket);

  /// Questions under way.
  [[nodiscard]] std::size_t pending() const { return questions_.size(); }

 private:
  struct Waiter {
    std::uint64_t ticket;
    Done done;
  };
  struct Question {
    Resolver* resolver;
    std::string name;
    std::vector<Waiter> waiters;
    bool answered = false;  ///< its waiters are being told
  };
  struct Watch;

  static void on_answer(void* question, int status, int timeouts, ares_addrinfo* found);
  static void on_socket(void* self, int fd, int readable, int writable);
  void answer(Question& question, int status, const ares_addrinfo* found);
  void process(int readable, int writable);
  void on_timer();
  void arm_timer();

  EventLoop& loop_;
  ResolverSettings settings_;
  NameCache cache_;
  ares_channeldata* channel_ = nullptr;
  std::string broken_;  ///< why there is no channel
  std::vector<std::unique_ptr<Question>> questions_;
  std::vector<std::unique_ptr<Watch>> watches_;
  std::uint64_t last_ticket_ = 0;
  TimerOf<Resolver, &Resolver::on_timer> timer_;
};

}  // namespace perigee::net
