// The bench's closed-loop client: keep-alive connections on one epoll, each keeping a fixed number of requests
// outstanding and sending the next when an answer is whole; with --churn each on a connection of its own. Every answer
// is judged (answer.h). Prints one JSON object. A slow server is asked less often, so the latencies flatter it
// (coordinated omission): open.c is the client that does not.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "answer.h"
#include "client.h"
#include "histogram.h"

enum {
  kMaxDepth = 256,
  kMaxResponse = 1 << 20,  // an answer longer than this is an error
  kEvents = 256,
  kStallSeconds = 20,  // nothing came for so long: what is outstanding has failed
};

// --- what was asked for on the command line

static struct {
  long depth, max_errors;
  uint64_t requests;  // 0: bounded by seconds
  bool idle, churn;
} options = {.depth = 1, .max_errors = 1000};

static struct common common;
static char* copies;  // depth + 1 requests in a row: any cyclic piece of up to depth requests is contiguous here

// --- the run so far

static uint64_t issued, completed, failed;  // issued = completed + failed + outstanding
static uint64_t unasked, reconnects;        // answers nobody asked for; connections lost
static int epoll;
static char input[kMaxResponse];
static struct histogram latencies;

struct connection {
  int fd;
  size_t unsent;         // bytes of issued requests the socket did not take yet
  size_t position;       // where in a request the next byte to send is
  uint32_t outstanding;  // requests issued and not answered
  uint32_t oldest;       // index in `sent` of the first of them
  char* carry;           // the beginning of an answer that is not whole
  size_t carried;
  uint64_t* sent;   // when each outstanding request was issued, a ring of `depth`
  uint64_t opened;  // when it was begun
};

static struct connection* connections;

// --- connections

// Edge-triggered, both directions: one system call a connection for the whole run, and being writable is the first
// event, which sends the first requests.
static void open_connection(struct connection* c) {
  c->opened = now();
  c->fd = connect_to(&common.target, (int)(c - connections));
  c->unsent = c->position = c->carried = 0;
  c->outstanding = c->oldest = 0;
  struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = c};
  if (fcntl(c->fd, F_SETFL, O_NONBLOCK) || epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event)) {
    die("load: epoll_ctl");
  }
}

static void lose(struct connection* c) {
  failed += c->outstanding;
  reconnects++;
  close(c->fd);
  open_connection(c);
}

static bool stopping;

// With --churn, when all its requests are answered: the next ones go over another connection.
static bool replace(struct connection* c) {
  close(c->fd);
  if (!stopping) {
    open_connection(c);
  }
  return true;
}

static bool flush(struct connection* c) {
  while (c->unsent > 0) {
    ssize_t sent = send(c->fd, copies + c->position, c->unsent, MSG_NOSIGNAL);
    if (sent < 0) {
      return errno == EAGAIN;
    }
    c->unsent -= (size_t)sent;
    c->position = (c->position + (size_t)sent) % common.target.request_size;
  }
  return true;
}

// Issues requests until `depth` are outstanding. False: the connection is gone.
static bool fill(struct connection* c, uint64_t time) {
  while (c->outstanding < options.depth && !stopping) {
    c->sent[(c->oldest + c->outstanding++) % (uint32_t)options.depth] = options.churn ? c->opened : time;
    c->unsent += common.target.request_size;
    issued++;
    stopping = options.requests != 0 && issued == options.requests;
  }
  return flush(c);
}

static bool keep(struct connection* c, const char* data, size_t size) {
  if (size == kMaxResponse) {
    return false;
  }
  if (size > 0) {
    c->carry = realloc(c->carry, size);
    memcpy(c->carry, data, size);
  }
  c->carried = size;
  return true;
}

// Takes every whole answer in data. False: the connection is of no more use.
static bool take(struct connection* c, const char* data, size_t size, uint64_t time) {
  size_t used = 0;
  for (; size > 0; data += used, size -= used) {
    enum verdict verdict = judge(data, size, &used);
    if (verdict == kPartial) {
      break;
    }
    if (verdict == kBroken || c->outstanding == 0) {
      unasked += c->outstanding == 0;
      return false;
    }
    histogram_add(&latencies, time - c->sent[c->oldest]);
    c->oldest = (c->oldest + 1) % (uint32_t)options.depth;
    c->outstanding--;
    verdict == kGood ? completed++ : failed++;
  }
  return keep(c, data, size);
}

// False: the connection is gone.
static bool on_event(struct connection* c, uint32_t events) {
  const bool hung_up = events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR);
  for (;;) {
    const size_t carried = c->carried, room = sizeof input - carried;
    const ssize_t size = recv(c->fd, input + carried, room, 0);
    if (size < 0) {
      return errno == EAGAIN && (options.churn && c->outstanding > 0 ? flush(c) : fill(c, now()));
    }
    if (size == 0) {
      return false;
    }
    if (carried > 0) {
      memcpy(input, c->carry, carried);
    }
    const uint64_t time = now();
    if (!take(c, input, carried + (size_t)size, time)) {
      return false;
    }
    if (options.churn && c->outstanding == 0) {
      return replace(c);
    }
    if (!options.churn && !fill(c, time)) {
      return false;
    }
    if ((size_t)size < room && !hung_up) {
      return true;  // a short read has emptied the socket
    }
  }
}

// A server that only hangs up makes no errors, so lost connections count too.
static bool given_up(void) {
  return (long)(failed + unasked) > options.max_errors || (long)reconnects > options.max_errors + (long)completed;
}

static void run(void) {
  struct epoll_event events[kEvents];
  const uint64_t begin = now(), end = begin + (uint64_t)(common.seconds * 1e9);
  uint64_t last_answer = begin;
  while (!given_up() && !(stopping && completed + failed == issued)) {
    const int ready = epoll_wait(epoll, events, kEvents, 100);
    for (int i = 0; i < ready; i++) {
      struct connection* c = events[i].data.ptr;
      if (!on_event(c, events[i].events)) {
        lose(c);
      }
    }
    const uint64_t time = now();
    last_answer = ready > 0 ? time : last_answer;
    stopping = stopping || (options.requests == 0 && time >= end);
    if (time - last_answer > kStallSeconds * 1000000000ull) {
      failed += issued - completed - failed;
      fprintf(stderr, "load: no answer for %d s\n", kStallSeconds);
      return;
    }
  }
}

// --- the idle run: many connections, one request each, then silence until stdin closes

static bool ask_once(int fd) {
  if (send(fd, common.target.request, common.target.request_size, MSG_NOSIGNAL) !=
      (ssize_t)common.target.request_size) {
    return false;
  }
  for (size_t size = 0, used = 0; size < sizeof input;) {
    const ssize_t more = recv(fd, input + size, sizeof input - size, 0);
    if (more <= 0) {
      return false;
    }
    size += (size_t)more;
    const enum verdict verdict = judge(input, size, &used);
    if (verdict != kPartial) {
      return verdict == kGood && used == size;
    }
  }
  return false;
}

static int hold_idle(void) {
  for (long i = 0; i < common.connections; i++) {
    ask_once(connect_to(&common.target, (int)i)) ? completed++ : failed++;
  }
  printf("{\"connections\": %ld, \"requests\": %lu, \"errors\": %lu}\n", common.connections, completed, failed);
  fflush(stdout);
  while (read(STDIN_FILENO, input, sizeof input) > 0) {
  }
  return failed == 0 ? 0 : 1;
}

// --- start and report

static const char kUsage[] = "usage: load --port PORT --request FILE [options]\n" COMMON_USAGE
                             "  --depth D         requests outstanding on each connection (1)\n"
                             "  --requests N      stop after so many, however long that takes\n"
                             "  --max-errors N    give up after so many (1000)\n"
                             "  --churn           a new connection for every request, closed when it is answered\n"
                             "  --idle            one request on each connection, then hold them until stdin closes\n";

static void usage(void) {
  fputs(kUsage, stderr);
  exit(2);
}

static void parse_options(int argc, char** argv) {
  static const struct option kLong[] = {COMMON_OPTIONS,      {"depth", 1, 0, 'd'}, {"requests", 1, 0, 'r'},
                                        {"idle", 0, 0, 'i'}, {"churn", 0, 0, 'x'}, {"max-errors", 1, 0, 'e'},
                                        {0, 0, 0, 0}};
  common = common_defaults();
  for (int option; (option = getopt_long(argc, argv, "", kLong, NULL)) != -1;) {
    switch (option) {
      case 'd':
        options.depth = atol(optarg);
        break;
      case 'r':
        options.requests = strtoul(optarg, NULL, 10);
        break;
      case 'e':
        options.max_errors = atol(optarg);
        break;
      case 'i':
        options.idle = true;
        break;
      case 'x':
        options.churn = true;
        break;
      default:
        take_common(&common, option, optarg) || (usage(), 0);
    }
  }
  if (!is_possible(&common) || optind != argc || options.depth < 1 || options.depth > kMaxDepth) {
    usage();
  }
}

static void make_copies(void) {
  copies = malloc(common.target.request_size * (size_t)(options.depth + 1));
  for (long i = 0; i <= options.depth; i++) {
    memcpy(copies + (size_t)i * common.target.request_size, common.target.request, common.target.request_size);
  }
}

static void open_all(void) {
  epoll = epoll_create1(EPOLL_CLOEXEC);
  connections = calloc((size_t)common.connections, sizeof *connections);
  for (long i = 0; i < common.connections; i++) {
    connections[i].sent = calloc((size_t)options.depth, sizeof *connections[i].sent);
    open_connection(&connections[i]);
  }
}

static void report(double seconds, double cpu) {
  printf("{\"requests\": %lu, \"seconds\": %.6f, \"rps\": %.1f, ", completed, seconds, (double)completed / seconds);
  histogram_print(&latencies, "");
  printf(", \"errors\": %lu, \"reconnects\": %lu, \"client_cpu_us\": %.3f}\n", failed + unasked, reconnects,
         completed > 0 ? cpu * 1e6 / (double)completed : 0);
}

int main(int argc, char** argv) {
  parse_options(argc, argv);
  prepare_process(common.core);
  make_copies();
  if (options.idle) {
    return hold_idle();
  }
  open_all();
  const double cpu = cpu_seconds();
  const uint64_t begin = now();
  run();
  report((double)(now() - begin) * 1e-9, cpu_seconds() - cpu);
  return failed + unasked == 0 && completed > 0 ? 0 : 1;
}
