#define _GNU_SOURCE
#include "client.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

#include "answer.h"

void die(const char* what) {
  perror(what);
  exit(1);
}

uint64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void read_request(struct target* t, const char* path) {
  FILE* file = fopen(path, "rb");
  if (file == NULL) {
    die(path);
  }
  t->request_size = fread(t->request, 1, sizeof t->request, file);
  fclose(file);
  if (t->request_size == 0) {
    fprintf(stderr, "%s is empty\n", path);
    exit(1);
  }
}

struct common common_defaults(void) {
  return (struct common){
      .target = {.address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}, .sources = 1},
      .connections = 64,
      .seconds = 2,
      .core = -1};
}

bool take_common(struct common* c, int option, const char* argument) {
  switch (option) {
    case 'a':
      return inet_aton(argument, &c->target.address.sin_addr) != 0;
    case 'p':
      c->target.address.sin_port = htons((uint16_t)atoi(argument));
      return true;
    case 'f':
      read_request(&c->target, argument);
      return true;
    case 'n':
      c->connections = atol(argument);
      return true;
    case 's':
      c->seconds = atof(argument);
      return true;
    case 'm':
      c->target.sources = atoi(argument);
      return true;
    case 'b':
      want_body(argument);
      return true;
    case 'c':
      c->core = atoi(argument);
      return true;
    default:
      return false;
  }
}

bool is_possible(const struct common* c) {
  return c->target.request_size > 0 && c->target.address.sin_port != 0 && c->connections >= 1 &&
         c->connections <= kMaxConnections && c->target.sources >= 1;
}

int connect_to(const struct target* t, int number) {
  int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    die("socket");
  }
  if (t->sources > 1) {
    struct sockaddr_in local = {.sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK + (uint32_t)(number % t->sources))};
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    if (bind(fd, (struct sockaddr*)&local, sizeof local)) {
      die("bind");
    }
  }
  if (connect(fd, (struct sockaddr*)&t->address, sizeof t->address)) {
    die("connect");
  }
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  return fd;
}

void prepare_process(int core) {
  if (core >= 0) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((unsigned)core, &set);
    if (sched_setaffinity(0, sizeof set, &set)) {
      die("sched_setaffinity");
    }
  }
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

double cpu_seconds(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}
