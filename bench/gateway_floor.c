// The least a gateway to three upstreams can do: for each request three are sent, on kept connections of the client's
// own, and when their answers are there a constant page goes out. Nothing is parsed but the ends of heads, whatever the
// answers hold. What a real gateway costs above this is its own doing. Usage: gateway_floor UPSTREAM_PORT PAGE ANSWER,
// where ANSWER is the body that each upstream sends.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { kMaxDescriptors = 65536, kUpstreams = 3, kEvents = 256, kMaxPage = 8192 };
static const char kQuestion[] = "GET /oslo HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept-Encoding: gzip, br\r\n\r\n";

struct client {
  int fd;
  int upstreams[kUpstreams];
  int awaited;                  // answers
  size_t received[kUpstreams];  // bytes of them
};

static struct {
  struct client* client;
  int upstream;  // which of the client's; -1: the client itself
} owners[kMaxDescriptors];
static char input[16384];
static char page[kMaxPage];
static size_t page_size, answer_size;
static struct sockaddr_in upstream;
static int epoll;

static void die(const char* what) {
  perror(what);
  exit(1);
}

static int listen_anywhere(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || bind(fd, (struct sockaddr*)&address, size) || listen(fd, 4096) ||
      getsockname(fd, (struct sockaddr*)&address, &size)) {
    die("gateway_floor");
  }
  fprintf(stderr, "listening on http://127.0.0.1:%d\n", ntohs(address.sin_port));
  return fd;
}

static void watch(int fd, struct client* client, int which) {
  int one = 1;
  if (fd < 0 || fd >= kMaxDescriptors) {
    die("gateway_floor: too many connections");
  }
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  owners[fd].client = client;
  owners[fd].upstream = which;
  epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &(struct epoll_event){.events = EPOLLIN, .data.fd = fd});
}

static void accept_one(int listener) {
  struct client* client = calloc(1, sizeof *client);
  client->fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
  watch(client->fd, client, -1);
  for (int i = 0; i < kUpstreams; i++) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr*)&upstream, sizeof upstream)) {
      die("gateway_floor: the upstream");
    }
    client->upstreams[i] = fd;
    watch(fd, client, i);
  }
}

static void leave(int fd) {
  owners[fd].client = NULL;
  close(fd);
}

static void end(struct client* client) {
  for (int i = 0; i < kUpstreams; i++) {
    leave(client->upstreams[i]);
  }
  leave(client->fd);
  free(client);
}

static void serve(struct client* client, int which) {
  int fd = which < 0 ? client->fd : client->upstreams[which];
  ssize_t size = recv(fd, input, sizeof input, 0);
  if (size <= 0) {
    end(client);
    return;
  }
  if (which < 0) {
    client->awaited = kUpstreams;
    for (int i = 0; i < kUpstreams; i++) {
      client->received[i] = 0;
      if (send(client->upstreams[i], kQuestion, sizeof kQuestion - 1, MSG_NOSIGNAL) < 0) {
        die("gateway_floor: the upstream");
      }
    }
    return;
  }
  client->received[which] += (size_t)size;
  if (client->received[which] == answer_size && --client->awaited == 0 &&
      send(client->fd, page, page_size, MSG_NOSIGNAL) < 0) {
    end(client);
  }
}

int main(int argc, char** argv) {
  if (argc != 4) {
    fputs("usage: gateway_floor UPSTREAM_PORT PAGE ANSWER\n", stderr);
    return 2;
  }
  upstream = (struct sockaddr_in){
      .sin_family = AF_INET, .sin_port = htons(atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s";
  page_size = (size_t)snprintf(page, sizeof page, head, strlen(argv[2]), argv[2]);
  answer_size = (size_t)snprintf(NULL, 0, head, strlen(argv[3]), argv[3]);
  if (page_size >= sizeof page) {
    fputs("gateway_floor: the page is too long\n", stderr);
    return 1;
  }
  epoll = epoll_create1(EPOLL_CLOEXEC);
  int listener = listen_anywhere();
  epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &(struct epoll_event){.events = EPOLLIN, .data.fd = listener});
  for (struct epoll_event events[kEvents];;) {
    for (int i = 0, ready = epoll_wait(epoll, events, kEvents, -1); i < ready; i++) {
      int fd = events[i].data.fd;
      if (fd == listener) {
        accept_one(listener);
      } else if (owners[fd].client != NULL) {  // it has gone by an event before this one
        serve(owners[fd].client, owners[fd].upstream);
      }
    }
  }
}
