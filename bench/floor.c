// The floor: the least an HTTP server on epoll can do. It counts "\r\n\r\n" and answers each with a constant.
// What a real server costs above this is its own doing. Usage: floor [PORT [JSON]]; port 0 (the default) picks a free
// one, and JSON is answered in place of "Hello, World!".
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { kMaxConnections = 65536, kMaxBatch = 256, kMaxAnswer = 4096, kEvents = 256 };
static const char kHead[] = "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n%s";
static const char kEnd[] = "\r\n\r\n";
static char answers[kMaxBatch * kMaxAnswer];
static size_t answer_size;
static char input[16384];
static unsigned char matched[kMaxConnections];  // bytes of kEnd a connection has ended with so far

static int listen_on(int port) {
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(fd, (struct sockaddr*)&address, size) || listen(fd, 4096) ||
      getsockname(fd, (struct sockaddr*)&address, &size)) {
    perror("floor");
    exit(1);
  }
  fprintf(stderr, "listening on http://127.0.0.1:%d\n", ntohs(address.sin_port));
  return fd;
}

static void accept_one(int listener, int epoll) {
  int one = 1, fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0 || fd >= kMaxConnections) {
    close(fd);
    return;
  }
  matched[fd] = 0;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &(struct epoll_event){.events = EPOLLIN, .data.fd = fd});
}

static int count_heads(int fd, ssize_t size) {
  int heads = 0, state = matched[fd];
  for (ssize_t i = 0; i < size; i++) {
    if (state == 0) {  // nothing counts before the next '\r'
      const char* next = memchr(input + i, '\r', size - i);
      if (next == NULL) {
        break;
      }
      i = next - input;
    }
    state = input[i] == kEnd[state] ? state + 1 : input[i] == '\r';
    if (state == 4) {
      heads++, state = 0;
    }
  }
  matched[fd] = (unsigned char)state;
  return heads;
}

static void serve(int fd) {
  ssize_t size = read(fd, input, sizeof input);
  if (size <= 0) {
    close(fd);
    return;
  }
  for (int heads = count_heads(fd, size); heads > 0; heads -= kMaxBatch) {
    size_t length = (heads < kMaxBatch ? heads : kMaxBatch) * answer_size;
    if (write(fd, answers, length) != (ssize_t)length) {
      close(fd);
      return;
    }
  }
}

static void make_answers(const char* type, const char* body) {
  int size = snprintf(answers, kMaxAnswer, kHead, type, strlen(body), body);
  if (size >= kMaxAnswer) {
    fputs("floor: the answer is too long\n", stderr);
    exit(1);
  }
  answer_size = (size_t)size;
  for (size_t i = 1; i < kMaxBatch; i++) {
    memcpy(answers + i * answer_size, answers, answer_size);
  }
}

int main(int argc, char** argv) {
  if (argc > 2) {
    make_answers("application/json", argv[2]);
  } else {
    make_answers("text/plain; charset=utf-8", "Hello, World!");
  }
  int listener = listen_on(argc > 1 ? atoi(argv[1]) : 0), epoll = epoll_create1(EPOLL_CLOEXEC);
  epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &(struct epoll_event){.events = EPOLLIN, .data.fd = listener});
  for (struct epoll_event events[kEvents];;) {
    for (int i = 0, ready = epoll_wait(epoll, events, kEvents, -1); i < ready; i++) {
      events[i].data.fd == listener ? accept_one(listener, epoll) : serve(events[i].data.fd);
    }
  }
}
