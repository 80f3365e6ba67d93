// Downloads one file again and again on some connections, each asking anew when it has all, and counts. Heads are read
// and judged; bodies are counted and thrown away in the kernel, so that the client takes as little of the machine as
// can be. Prints one JSON object.
//
// usage: download PORT PATH CONNECTIONS SECONDS CORE
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { kMostHead = 4096, kMostConnections = 1024, kMostAtOnce = 1 << 20 };

struct connection {
  int fd;
  size_t head_size;  // bytes of the head so far
  uint64_t left;     // bytes of the body to come
  char head[kMostHead + 1];
};

static struct connection connections[kMostConnections];
static char request[1024];
static size_t request_size;
static uint64_t answers, bytes;

static void die(const char* what) {
  perror(what);
  exit(1);
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static void ask(struct connection* c) {
  c->head_size = 0;
  if (send(c->fd, request, request_size, MSG_NOSIGNAL) != (ssize_t)request_size) {
    die("download: send");
  }
}

static void open_connection(struct connection* c, int epoll, uint16_t port) {
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (c->fd < 0 || connect(c->fd, (struct sockaddr*)&address, sizeof address)) {
    die("download: connect");
  }
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event)) {
    die("download: epoll_ctl");
  }
  ask(c);
}

// Reads on in the head. What came of the body with it counts.
static void read_head(struct connection* c) {
  ssize_t got = recv(c->fd, c->head + c->head_size, kMostHead - c->head_size, MSG_DONTWAIT);
  if (got < 0 && errno == EAGAIN) {
    return;
  }
  if (got <= 0) {
    die("download: the server closed a connection");
  }
  c->head_size += (size_t)got;
  c->head[c->head_size] = '\0';
  char* end = memmem(c->head, c->head_size, "\r\n\r\n", 4);
  if (end == NULL) {
    return;
  }
  char* length = strcasestr(c->head, "\r\ncontent-length:");
  if (strncmp(c->head, "HTTP/1.1 200", 12) != 0 || length == NULL || length > end) {
    fprintf(stderr, "download: answered with %.60s\n", c->head);
    exit(1);
  }
  const uint64_t size = strtoull(length + 17, NULL, 10);
  c->left = size - (c->head_size - (size_t)(end + 4 - c->head));
  bytes += size - c->left;
  c->head_size = kMostHead;  // it is whole
}

static void read_body(struct connection* c) {
  while (c->left > 0) {
    ssize_t got = recv(c->fd, NULL, c->left < kMostAtOnce ? c->left : kMostAtOnce, MSG_DONTWAIT | MSG_TRUNC);
    if (got < 0 && errno == EAGAIN) {
      return;
    }
    if (got <= 0) {
      die("download: a body was cut short");
    }
    c->left -= (uint64_t)got;
    bytes += (uint64_t)got;
  }
  answers++;
  ask(c);
}

int main(int count, char** words) {
  if (count != 6) {
    fprintf(stderr, "usage: download PORT PATH CONNECTIONS SECONDS CORE\n");
    return 2;
  }
  const int wanted = atoi(words[3]);
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET(atoi(words[5]), &cores);
  if (wanted < 1 || wanted > kMostConnections || sched_setaffinity(0, sizeof cores, &cores)) {
    die("download: CONNECTIONS or CORE");
  }
  request_size = (size_t)snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", words[2]);
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  for (int i = 0; i < wanted; i++) {
    open_connection(&connections[i], epoll, (uint16_t)atoi(words[1]));
  }
  const double begin = now(), end = begin + atof(words[4]);
  double time = begin;
  for (; time < end; time = now()) {
    struct epoll_event events[64];
    const int ready = epoll_wait(epoll, events, 64, 100);
    for (int i = 0; i < ready; i++) {
      struct connection* c = events[i].data.ptr;
      if (c->head_size < kMostHead) {
        read_head(c);
      }
      if (c->head_size == kMostHead) {
        read_body(c);
      }
    }
  }
  printf("{\"answers\": %llu, \"bytes\": %llu, \"seconds\": %.6f}\n", (unsigned long long)answers,
         (unsigned long long)bytes, time - begin);
  return 0;
}
