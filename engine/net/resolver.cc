#include "net/resolver.h"

#include <ares.h>
#include <event2/event.h>

#include <algorithm>
#include <cstring>
#include <mutex>
#include <new>
#include <utility>

#include "base/log.h"

namespace perigee::net {
namespace {

constexpr Milliseconds kLongestTtl = 24 * 3600 * 1000;
constexpr Milliseconds kAbsent = 1000;  // how long "no such name" is believed

void open_library() {
  static std::once_flag once;
  std::call_once(once, [] { ares_library_init(ARES_LIB_INIT_ALL); });
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return lower;
}

std::string reason_of(int status) {
  switch (status) {
    case ARES_ENOTFOUND:
    case ARES_ENODATA:
    case ARES_ENONAME:
      return "no such name";
    case ARES_ETIMEOUT:
      return "no nameserver answers";
    case ARES_ECONNREFUSED:
      return "no nameserver can be reached";
    default:
      return ares_strerror(status);
  }
}

bool is_absent(int status) {
  return status == ARES_ENOTFOUND || status == ARES_ENODATA || status == ARES_ENONAME;
}

// All nameservers as c-ares reads them; "" for none.
std::string server_list(const std::vector<std::string>& servers) {
  std::string list;
  for (const std::string& server : servers) {
    list += (list.empty() ? "" : ",") + server;
  }
  return list;
}

}  // namespace

/// One of c-ares's sockets, as libevent watches it.
struct Resolver::Watch {
  struct EventDeleter {
    void operator()(event* event) const { event_free(event); }
  };

  Watch(Resolver& resolver, int descriptor, short interest)
      : owner(resolver),
        fd(descriptor),
        ready(event_new(
            resolver.loop_.base(), descriptor, static_cast<short>(interest | EV_PERSIST),
            [](int socket, short events, void* self) {
              static_cast<Watch*>(self)->owner.process((events & EV_READ) != 0 ? socket : ARES_SOCKET_BAD,
                                                       (events & EV_WRITE) != 0 ? socket : ARES_SOCKET_BAD);
            },
            this)) {
    if (ready == nullptr || event_add(ready.get(), nullptr) != 0) {
      throw std::bad_alloc();
    }
  }

  Resolver& owner;
  int fd;
  std::unique_ptr<event, EventDeleter> ready;
};

Resolver::Resolver(EventLoop& loop, const ResolverSettings& settings)
    : loop_(loop), settings_(settings), cache_(settings.cached), timer_(*this) {
  open_library();
  ares_options options{};
  char lookups[] = "fb";  // files, then DNS
  options.timeout = static_cast<int>(settings.timeout);
  options.tries = settings.tries;
  options.lookups = lookups;
  options.sock_state_cb = on_socket;
  options.sock_state_cb_data = this;
  int status = ares_init_options(&channel_, &options,
                                 ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB);
  const std::string servers = server_list(settings.nameservers);
  if (status == ARES_SUCCESS && !servers.empty()) {
    status = ares_set_servers_ports_csv(channel_, servers.c_str());
  }
  if (status != ARES_SUCCESS) {
    broken_ = std::string("dns: the resolver does not start: ") + ares_strerror(status);
    log_event(LogLevel::kError, broken_);
  }
}

Resolver::~Resolver() {
  for (const auto& question : questions_) {
    question->waiters.clear();
  }
  if (channel_ != nullptr) {
    ares_destroy(channel_);
  }
}

Result<> Resolver::check_nameserver(const std::string& text) {
  open_library();
  ares_channel channel = nullptr;
  if (ares_init(&channel) != ARES_SUCCESS) {
    return fail("the resolver does not start");
  }
  const bool plain = text.find(',') == std::string::npos && !text.empty();
  const bool good = plain && ares_set_servers_ports_csv(channel, text.c_str()) == ARES_SUCCESS;
  ares_addr_port_node* servers = nullptr;
  const bool counts = good && ares_get_servers_ports(channel, &servers) == ARES_SUCCESS && servers != nullptr;
  ares_free_data(servers);
  ares_destroy(channel);
  if (!counts) {
    return fail("no IP address with an optional port");
  }
  return {};
}

std::uint64_t Resolver::resolve(std::string_view host, Done done) {
  loop_.assert_in_loop();
  if (const auto literal = PeerAddress::parse(host)) {
    done({{*literal}, ""});
    return 0;
  }
  const std::string name = lower_case(host);
  if (const NameAnswer* known = cache_.find(name, monotonic_ms()); known != nullptr) {
    done(NameAnswer(*known));
    return 0;
  }
  if (!broken_.empty()) {
    done({{}, broken_});
    return 0;
  }
  const std::uint64_t ticket = ++last_ticket_;
  for (const auto& question : questions_) {
    if (question->name == name && !question->answered) {
      question->waiters.push_back({ticket, std::move(done)});
      return ticket;
    }
  }
  // c-ares may answer before it returns: that is told apart by whether the waiter is still there.
  questions_.push_back(std::make_unique<Question>(Question{this, name, {}, false}));
  Question* question = questions_.back().get();
  question->waiters.push_back({ticket, std::move(done)});
  ares_addrinfo_hints hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  ares_getaddrinfo(channel_, name.c_str(), nullptr, &hints, on_answer, question);
  arm_timer();
  const bool waits = std::any_of(questions_.begin(), questions_.end(), [ticket](const auto& each) {
    return !each->waiters.empty() && each->waiters.front().ticket == ticket;
  });
  return waits ? ticket : 0;
}

void Resolver::cancel(std::uint64_t ticket) {
  for (const auto& question : questions_) {
    std::erase_if(question->waiters, [ticket](const Waiter& waiter) { return waiter.ticket == ticket; });
  }
}

void Resolver::on_answer(void* context, int status, int, ares_addrinfo* found) {
  auto& question = *static_cast<Question*>(context);
  try {
    question.resolver->answer(question, status, found);
  } catch (const std::bad_alloc&) {
    log_event(LogLevel::kError, "out of memory: an answer of a nameserver was lost");
  }
  ares_freeaddrinfo(found);
}

void Resolver::answer(Question& question, int status, const ares_addrinfo* found) {
  question.answered = true;
  NameAnswer answer;
  Milliseconds ttl = kLongestTtl;
  for (const ares_addrinfo_node* node = status == ARES_SUCCESS ? found->nodes : nullptr; node != nullptr;
       node = node->ai_next) {
    sockaddr_storage storage{};
    std::memcpy(&storage, node->ai_addr, std::min<std::size_t>(node->ai_addrlen, sizeof storage));
    answer.addresses.push_back(PeerAddress::of(storage));
    ttl = std::min<Milliseconds>(ttl, static_cast<Milliseconds>(node->ai_ttl) * 1000);
  }
  for (const ares_addrinfo_cname* alias = status == ARES_SUCCESS ? found->cnames : nullptr; alias != nullptr;
       alias = alias->next) {
    ttl = std::min<Milliseconds>(ttl, static_cast<Milliseconds>(alias->ttl) * 1000);
  }
  if (answer.addresses.empty()) {
    answer.error = "dns: " + reason_of(status == ARES_SUCCESS ? ARES_ENODATA : status) + ": " + question.name;
    ttl = is_absent(status) ? kAbsent : 0;
  }
  if (ttl > 0) {
    cache_.put(question.name, answer, monotonic_ms() + ttl);
  }
  // One by one: each may cancel another.
  while (!question.waiters.empty()) {
    const Done done = std::move(question.waiters.front().done);
    question.waiters.erase(question.waiters.begin());
    done(answer);
  }
  std::erase_if(questions_, [&question](const auto& each) { return each.get() == &question; });
}

void Resolver::on_socket(void* context, int fd, int readable, int writable) {
  auto& self = *static_cast<Resolver*>(context);
  std::erase_if(self.watches_, [fd](const auto& watch) { return watch->fd == fd; });
  const auto interest = static_cast<short>((readable != 0 ? EV_READ : 0) | (writable != 0 ? EV_WRITE : 0));
  if (interest != 0) {
    try {
      self.watches_.push_back(std::make_unique<Watch>(self, fd, interest));
    } catch (const std::bad_alloc&) {
      log_event(LogLevel::kError, "out of memory: a nameserver is not listened to");
    }
  }
}

void Resolver::process(int readable, int writable) {
  ares_process_fd(channel_, readable, writable);
  arm_timer();
}

void Resolver::on_timer() {
  process(ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

void Resolver::arm_timer() {
  timeval room{};
  const timeval* next = ares_timeout(channel_, nullptr, &room);
  if (next == nullptr) {
    timer_.cancel();
    return;
  }
  loop_.timers().add(timer_, monotonic_ms() + next->tv_sec * 1000 + next->tv_usec / 1000 + 1);
}

}  // namespace perigee::net
