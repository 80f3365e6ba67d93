// The bench's open-loop client: requests become due at a given mean rate, at times of a Poisson process, whether
// earlier ones are answered or not, as from users who know nothing of each other. One that is due goes out on a
// connection that waits for nothing, or waits itself until there is one, and its latency counts from the moment it was
// due: a server that stalls makes all late that were due meanwhile (no coordinated omission). "service_" figures count
// from the moment it was sent. Every answer is judged (answer.h). Prints one JSON object. It never sleeps: its core
// should be its own.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "answer.h"
#include "client.h"
#include "histogram.h"

enum {
  kMaxResponse = 1 << 16,  // an answer longer than this is an error
  kEvents = 256,
  kDrainSeconds = 10,  // after the last request was due; what is not answered then has failed
  kMaxErrors = 1000,   // more, and the run ends
};

static struct { double rate; } options = {.rate = 1000};

static struct common common;

// --- the run so far

struct connection {
  int fd;
  uint64_t due, sent;  // of its request; 0: it has none
  size_t size;         // bytes of the answer so far
  char* answer;
};

static struct connection* connections;
static struct connection** waiting;  // for work: a ring, the one that waits longest is next
static long first_waiting, waiting_count;
static int epoll;
static uint64_t completed, failed, reconnects;
static struct histogram latencies, service;

static void set_waiting(struct connection* c) {
  c->size = 0;
  c->due = 0;
  waiting[(first_waiting + waiting_count++) % common.connections] = c;
}

static struct connection* take_waiting(void) {
  struct connection* c = waiting[first_waiting];
  first_waiting = (first_waiting + 1) % common.connections;
  waiting_count--;
  return c;
}

static void open_connection(struct connection* c) {
  c->fd = connect_to(&common.target, (int)(c - connections));
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event)) {
    die("open: epoll_ctl");
  }
}

// The connection is of no more use; its request, if it has one, has failed.
static void lose(struct connection* c) {
  close(c->fd);
  open_connection(c);
  reconnects++;
  if (c->due != 0) {
    failed++;
    set_waiting(c);
  }
}

// --- when requests are due

static uint64_t seed = 0x9e3779b97f4a7c15u;  // the same times in every run, so that servers meet the same bursts

static double uniform(void) {  // in (0, 1]
  seed ^= seed >> 12, seed ^= seed << 25, seed ^= seed >> 27;
  return (double)((seed * 0x2545f4914f6cdd1du >> 11) + 1) * 0x1p-53;
}

static double gap_ns(void) {
  return -log(uniform()) / options.rate * 1e9;
}

// --- one request

static void ask(struct connection* c, uint64_t due) {
  c->due = due;
  c->sent = now();
  if (send(c->fd, common.target.request, common.target.request_size, MSG_NOSIGNAL) !=
      (ssize_t)common.target.request_size) {
    lose(c);
  }
}

static void answered(struct connection* c, enum verdict verdict) {
  const uint64_t time = now();
  histogram_add(&latencies, time - c->due);
  histogram_add(&service, time - c->sent);
  verdict == kGood ? completed++ : failed++;
  set_waiting(c);
}

static void on_event(struct connection* c) {
  const ssize_t more = recv(c->fd, c->answer + c->size, kMaxResponse - c->size, MSG_DONTWAIT);
  if (more < 0 && errno == EAGAIN) {
    return;
  }
  c->size += more > 0 ? (size_t)more : 0;
  size_t used = 0;
  const enum verdict verdict = more > 0 && c->due != 0 ? judge(c->answer, c->size, &used) : kBroken;
  if (verdict == kBroken || (verdict == kPartial && c->size == kMaxResponse) ||
      (verdict != kPartial && used < c->size)) {
    lose(c);
  } else if (verdict != kPartial) {
    answered(c, verdict);
  }
}

static void on_events(void) {
  struct epoll_event events[kEvents];
  const int ready = epoll_wait(epoll, events, kEvents, 0);
  for (int i = 0; i < ready; i++) {
    on_event(events[i].data.ptr);
  }
}

// What was due and never sent, or sent and never answered, is late by at least the time until now.
static void give_up(double due, double end) {
  const uint64_t time = now();
  for (; due < end; due += gap_ns()) {
    histogram_add(&latencies, time - (uint64_t)due);
    failed++;
  }
  for (long i = 0; i < common.connections; i++) {
    if (connections[i].due != 0) {
      histogram_add(&latencies, time - connections[i].due);
      failed++;
    }
  }
}

static void run(double begin) {
  const double end = begin + common.seconds * 1e9, most = end + kDrainSeconds * 1e9;
  double due = begin + gap_ns();
  for (double time = begin; time < most && failed + reconnects <= kMaxErrors; time = (double)now()) {
    for (; waiting_count > 0 && due <= time && due < end; due += gap_ns()) {
      ask(take_waiting(), (uint64_t)due);
    }
    on_events();
    if (due >= end && waiting_count == common.connections) {
      break;
    }
  }
  give_up(due, end);
}

// --- start and report

static const char kUsage[] = "usage: open --port PORT --request FILE [options]\n" COMMON_USAGE
                             "  --rate R          requests that become due a second, on average (1000)\n";

static void usage(void) {
  fputs(kUsage, stderr);
  exit(2);
}

static void parse_options(int argc, char** argv) {
  static const struct option kLong[] = {COMMON_OPTIONS, {"rate", 1, 0, 'r'}, {0, 0, 0, 0}};
  common = common_defaults();
  for (int option; (option = getopt_long(argc, argv, "", kLong, NULL)) != -1;) {
    if (option == 'r') {
      options.rate = atof(optarg);
    } else if (!take_common(&common, option, optarg)) {
      usage();
    }
  }
  if (!is_possible(&common) || optind != argc || options.rate <= 0 || common.seconds <= 0) {
    usage();
  }
}

static void open_all(void) {
  epoll = epoll_create1(EPOLL_CLOEXEC);
  connections = calloc((size_t)common.connections, sizeof *connections);
  waiting = calloc((size_t)common.connections, sizeof *waiting);
  for (long i = 0; i < common.connections; i++) {
    connections[i].answer = malloc(kMaxResponse);  // the kernel gives pages where they are written
    open_connection(&connections[i]);
    set_waiting(&connections[i]);
  }
}

static void report(double seconds, double cpu) {
  printf("{\"rate\": %.1f, \"requests\": %lu, \"seconds\": %.6f, ", options.rate, completed, seconds);
  histogram_print(&latencies, "");
  printf(", ");
  histogram_print(&service, "service_");
  printf(", \"errors\": %lu, \"reconnects\": %lu, \"client_cpu_us\": %.3f}\n", failed, reconnects,
         completed > 0 ? cpu * 1e6 / (double)completed : 0);
}

int main(int argc, char** argv) {
  parse_options(argc, argv);
  prepare_process(common.core);
  open_all();
  const double cpu = cpu_seconds();
  const uint64_t begin = now();
  run((double)begin);
  report((double)(now() - begin) * 1e-9, cpu_seconds() - cpu);
  return failed == 0 && completed > 0 ? 0 : 1;
}
