// Two ends of a fan-out, for bench/fanout.py, each told what to do by lines on stdin.
//
//   fanout listen PORT PATH COUNT   opens COUNT connections, asks each for PATH, and says "ready" when every one has
//   had an
//                                   answer; for "expect BYTES", says "got" when each has had so many more
//   fanout send COUNT FILE          says "listening on http://127.0.0.1:PORT", takes COUNT connections, answers each
//   with a
//                                   head; for "send", calls send() with the bytes of FILE on every one, and says "sent"

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 512, SOURCES = 8, MESSAGE = 65536 };

static const char HEAD[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

static void die(const char* what) {
  perror(what);
  exit(1);
}

static void say(const char* text) {
  puts(text);
  fflush(stdout);
}

static void watch(int epoll, int fd, uint32_t number) {
  struct epoll_event event = {.events = EPOLLIN, .data.u32 = number};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
    die("epoll_ctl");
  }
}

// From one of several addresses: one has fewer free ports than there are connections.
static int connect_to(int port, int number) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + number % SOURCES)};
  struct sockaddr_in to = {
      .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (fd < 0 || bind(fd, (struct sockaddr*)&from, sizeof from) != 0 ||
      connect(fd, (struct sockaddr*)&to, sizeof to) != 0) {
    die("connect");
  }
  return fd;
}

// Reads until every connection has had `wanted` bytes, or at least one where that is 0.
static void read_all(int epoll, const int* fds, int64_t* had, int count, int64_t wanted) {
  static char bytes[MESSAGE];
  struct epoll_event events[EVENTS];
  int left = 0;
  for (int i = 0; i < count; ++i) {
    left += had[i] < wanted || (wanted == 0 && had[i] == 0);
  }
  while (left > 0) {
    const int ready = epoll_wait(epoll, events, EVENTS, 30000);
    if (ready <= 0) {
      die("nothing comes");
    }
    for (int i = 0; i < ready; ++i) {
      const uint32_t number = events[i].data.u32;
      const ssize_t size = recv(fds[number], bytes, sizeof bytes, MSG_DONTWAIT);
      if (size <= 0) {
        if (size < 0 && errno == EAGAIN) {
          continue;
        }
        die("a connection ended");
      }
      const int lacked = had[number] < wanted || (wanted == 0 && had[number] == 0);
      had[number] += size;
      left -= lacked && had[number] >= wanted;
    }
  }
}

static int listen_for(int port, const char* path, int count) {
  const int epoll = epoll_create1(0);
  int* fds = calloc((size_t)count, sizeof *fds);
  int64_t* had = calloc((size_t)count, sizeof *had);
  char request[512];
  const int size = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path);
  for (int i = 0; i < count; ++i) {
    fds[i] = connect_to(port, i);
    watch(epoll, fds[i], (uint32_t)i);
    if (send(fds[i], request, (size_t)size, 0) != size) {
      die("send");
    }
  }
  read_all(epoll, fds, had, count, 0);
  say("ready");
  char line[64];
  while (fgets(line, sizeof line, stdin) != NULL) {
    long long bytes = 0;
    if (sscanf(line, "expect %lld", &bytes) == 1) {
      // What came with the head, or late, was no message.
      memset(had, 0, (size_t)count * sizeof *had);
      static char rest[MESSAGE];
      for (int i = 0; i < count; ++i) {
        while (recv(fds[i], rest, sizeof rest, MSG_DONTWAIT) > 0) {
        }
      }
      say("waiting");
      read_all(epoll, fds, had, count, bytes);
      say("got");
    }
  }
  return 0;
}

static int send_to(int count, const char* path) {
  static char message[MESSAGE];
  FILE* file = fopen(path, "rb");
  if (file == NULL) {
    die(path);
  }
  const size_t size = fread(message, 1, sizeof message, file);
  fclose(file);
  const int listening = socket(AF_INET, SOCK_STREAM, 0);
  const int on = 1;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  setsockopt(listening, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (bind(listening, (struct sockaddr*)&address, length) != 0 || listen(listening, 1024) != 0 ||
      getsockname(listening, (struct sockaddr*)&address, &length) != 0) {
    die("listen");
  }
  printf("listening on http://127.0.0.1:%d\n", ntohs(address.sin_port));
  fflush(stdout);
  int* fds = calloc((size_t)count, sizeof *fds);
  for (int i = 0; i < count; ++i) {
    char request[1024];
    fds[i] = accept(listening, NULL, NULL);
    if (fds[i] < 0 || recv(fds[i], request, sizeof request, 0) <= 0 ||
        send(fds[i], HEAD, sizeof HEAD - 1, 0) != sizeof HEAD - 1) {
      die("accept");
    }
    fcntl(fds[i], F_SETFL, O_NONBLOCK);
  }
  char line[64];
  while (fgets(line, sizeof line, stdin) != NULL) {
    for (int i = 0; i < count; ++i) {
      if (send(fds[i], message, size, MSG_NOSIGNAL) != (ssize_t)size) {
        die("send");
      }
    }
    say("sent");
  }
  return 0;
}

int main(int argc, char** argv) {
  if (argc == 5 && strcmp(argv[1], "listen") == 0) {
    return listen_for(atoi(argv[2]), argv[3], atoi(argv[4]));
  }
  if (argc == 4 && strcmp(argv[1], "send") == 0) {
    return send_to(atoi(argv[2]), argv[3]);
  }
  fprintf(stderr, "fanout listen PORT PATH COUNT | fanout send COUNT FILE\n");
  return 2;
}
