// The bench's client: keep-alive connections on one epoll, each keeping a fixed number of requests outstanding and
// sending the next when an answer is whole. Every answer is judged: status 200, a Content-Length, a whole body and,
// with
// --body, exactly that one. Prints one JSON object. A closed loop: a slow server is asked less often, so the latencies
// flatter it (coordinated omission).
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
  kMaxConnections = 65536,
  kMaxDepth = 256,
  kMaxRequest = 65536,
  kMaxResponse = 1 << 20,  // an answer longer than this is an error
  kEvents = 256,
  kStallSeconds = 20,  // nothing came for so long: what is outstanding has failed
};

// --- what was asked for on the command line

static struct {
  struct sockaddr_in address;
  const char* body;
  size_t body_size;
  long connections, depth, max_errors;
  uint64_t requests;  // 0: bounded by seconds
  double seconds;
  int core, sources;
  bool idle;
} options = {.connections = 64, .depth = 1, .max_errors = 1000, .seconds = 2, .core = -1, .sources = 1};

static char request[kMaxRequest];
static size_t request_size;
static char* copies;  // depth + 1 requests in a row: any cyclic piece of up to depth requests is contiguous here

// --- the run so far

static uint64_t issued, completed, failed;  // issued = completed + failed + outstanding
static uint64_t unasked, reconnects;        // answers nobody asked for; connections lost
static int epoll;
static char input[kMaxResponse];

struct connection {
  int fd;
  size_t unsent;         // bytes of issued requests the socket did not take yet
  size_t position;       // where in a request the next byte to send is
  uint32_t outstanding;  // requests issued and not answered
  uint32_t oldest;       // index in `sent` of the first of them
  char* carry;           // the beginning of an answer that is not whole
  size_t carried;
  uint64_t* sent;  // when each outstanding request was issued, a ring of `depth`
};

static struct connection* connections;

static void die(const char* what) {
  perror(what);
  exit(1);
}

static uint64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

// --- latencies: 64 buckets for each power of two, so a figure is at most 1.6 % off

enum { kSubBits = 6, kSub = 1 << kSubBits, kBuckets = 64 * kSub };
static uint64_t histogram[kBuckets], slowest;

static unsigned bucket_of(uint64_t ns) {
  if (ns < kSub) {
    return (unsigned)ns;
  }
  unsigned shift = 63u - (unsigned)__builtin_clzll(ns) - kSubBits;
  return (shift + 1) * kSub + (unsigned)(ns >> shift) - kSub;
}

static double bucket_middle(unsigned bucket) {
  if (bucket < kSub) {
    return bucket;
  }
  unsigned shift = bucket / kSub - 1;
  return (double)((uint64_t)(bucket % kSub + kSub) << shift) + (double)(1ull << shift) / 2;
}

static void record(uint64_t ns) {
  histogram[bucket_of(ns)]++;
  slowest = ns > slowest ? ns : slowest;
}

static double percentile_us(double share) {
  uint64_t total = 0, seen = 0;
  for (unsigned i = 0; i < kBuckets; i++) {
    total += histogram[i];
  }
  for (unsigned i = 0; i < kBuckets; i++) {
    seen += histogram[i];
    if (total > 0 && (double)seen >= share * (double)total) {
      double ns = bucket_middle(i);
      return (ns < (double)slowest ? ns : (double)slowest) / 1000;
    }
  }
  return 0;
}

// --- one answer

enum verdict { kPartial, kGood, kBad, kBroken };  // kBad: framed but not what was wanted; kBroken: cannot go on

// Answers of one server have equal heads but for a date now and then: what was learnt from the last head holds for
// every head that is the same byte for byte.
static struct {
  char head[4096];
  size_t head_size, body_size;
  enum verdict verdict;
} learnt;

static enum verdict learn_head(const char* data, size_t head_size) {
  static const char kLength[] = "content-length:";
  static const char kOk[] = "HTTP/1.1 200";
  const char *end = data + head_size, *line = memchr(data, '\n', head_size);
  for (line++; line < end - 2; line = (const char*)memchr(line, '\n', (size_t)(end - line)) + 1) {
    if ((size_t)(end - line) > sizeof kLength && strncasecmp(line, kLength, sizeof kLength - 1) == 0) {
      learnt.body_size = strtoul(line + sizeof kLength - 1, NULL, 10);
      learnt.verdict = memcmp(data, kOk, sizeof kOk - 1) == 0 && learnt.body_size > 0 ? kGood : kBad;
      learnt.head_size = head_size <= sizeof learnt.head ? head_size : 0;
      memcpy(learnt.head, data, learnt.head_size);
      return learnt.verdict;
    }
  }
  return kBroken;  // no length, no framing
}

// Judges the answer `data` begins with and says how many bytes it has.
static enum verdict judge(const char* data, size_t size, size_t* used) {
  size_t head_size = learnt.head_size;
  if (head_size == 0 || size < head_size || memcmp(data, learnt.head, head_size) != 0) {
    const char* end = memmem(data, size, "\r\n\r\n", 4);
    if (end == NULL) {
      return kPartial;
    }
    head_size = (size_t)(end - data) + 4;
    if (size < 12 || memcmp(data, "HTTP/1.", 7) != 0 || learn_head(data, head_size) == kBroken) {
      return kBroken;
    }
  }
  if (size - head_size < learnt.body_size) {
    return kPartial;
  }
  *used = head_size + learnt.body_size;
  if (options.body != NULL &&
      (learnt.body_size != options.body_size || memcmp(data + head_size, options.body, options.body_size))) {
    return kBad;
  }
  return learnt.verdict;
}

// --- connections

static int connect_from(int source) {
  int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    die("load: socket");
  }
  if (options.sources > 1) {
    struct sockaddr_in local = {.sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK + (uint32_t)(source % options.sources))};
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    if (bind(fd, (struct sockaddr*)&local, sizeof local)) {
      die("load: bind");
    }
  }
  if (connect(fd, (struct sockaddr*)&options.address, sizeof options.address)) {
    die("load: connect");
  }
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  return fd;
}

// Edge-triggered, both directions: one system call a connection for the whole run, and being writable is the first
// event, which sends the first requests.
static void open_connection(struct connection* c) {
  c->fd = connect_from((int)(c - connections));
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

static bool flush(struct connection* c) {
  while (c->unsent > 0) {
    ssize_t sent = send(c->fd, copies + c->position, c->unsent, MSG_NOSIGNAL);
    if (sent < 0) {
      return errno == EAGAIN;
    }
    c->unsent -= (size_t)sent;
    c->position = (c->position + (size_t)sent) % request_size;
  }
  return true;
}

static bool stopping;

// Issues requests until `depth` are outstanding. False: the connection is gone.
static bool fill(struct connection* c, uint64_t time) {
  while (c->outstanding < options.depth && !stopping) {
    c->sent[(c->oldest + c->outstanding++) % (uint32_t)options.depth] = time;
    c->unsent += request_size;
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
    record(time - c->sent[c->oldest]);
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
      return errno == EAGAIN && fill(c, now());
    }
    if (size == 0) {
      return false;
    }
    if (carried > 0) {
      memcpy(input, c->carry, carried);
    }
    const uint64_t time = now();
    if (!take(c, input, carried + (size_t)size, time) || !fill(c, time)) {
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
  const uint64_t begin = now(), end = begin + (uint64_t)(options.seconds * 1e9);
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
  if (send(fd, request, request_size, MSG_NOSIGNAL) != (ssize_t)request_size) {
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
  for (long i = 0; i < options.connections; i++) {
    ask_once(connect_from((int)i)) ? completed++ : failed++;
  }
  printf("{\"connections\": %ld, \"requests\": %lu, \"errors\": %lu}\n", options.connections, completed, failed);
  fflush(stdout);
  while (read(STDIN_FILENO, input, sizeof input) > 0) {
  }
  return failed == 0 ? 0 : 1;
}

// --- start and report

static const char kUsage[] =
    "usage: load --port PORT --request FILE [options]\n"
    "  --address A       IPv4 address (127.0.0.1)\n"
    "  --connections N   keep-alive connections (64)\n"
    "  --depth D         requests outstanding on each (1)\n"
    "  --requests N      stop after N requests, or\n"
    "  --seconds S       after S seconds (2)\n"
    "  --body TEXT       every body must be exactly this\n"
    "  --core K          run on this core only\n"
    "  --sources N       connect from N addresses, 127.0.0.1 upwards (1)\n"
    "  --max-errors N    give up after so many (1000)\n"
    "  --idle            one request on each connection, then hold them until stdin closes\n";

static void usage(void) {
  fputs(kUsage, stderr);
  exit(2);
}

static void read_request(const char* path) {
  FILE* file = fopen(path, "rb");
  if (file == NULL) {
    die(path);
  }
  request_size = fread(request, 1, sizeof request, file);
  fclose(file);
  if (request_size == 0) {
    fprintf(stderr, "load: %s is empty\n", path);
    exit(1);
  }
}

static void parse_options(int argc, char** argv) {
  static const struct option kLong[] = {{"address", 1, 0, 'a'},
                                        {"port", 1, 0, 'p'},
                                        {"request", 1, 0, 'f'},
                                        {"connections", 1, 0, 'n'},
                                        {"depth", 1, 0, 'd'},
                                        {"requests", 1, 0, 'r'},
                                        {"seconds", 1, 0, 's'},
                                        {"body", 1, 0, 'b'},
                                        {"core", 1, 0, 'c'},
                                        {"sources", 1, 0, 'm'},
                                        {"idle", 0, 0, 'i'},
                                        {"max-errors", 1, 0, 'e'},
                                        {0, 0, 0, 0}};
  options.address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  for (int option; (option = getopt_long(argc, argv, "", kLong, NULL)) != -1;) {
    switch (option) {
      case 'a':
        inet_aton(optarg, &options.address.sin_addr) || (usage(), 0);
        break;
      case 'p':
        options.address.sin_port = htons((uint16_t)atoi(optarg));
        break;
      case 'f':
        read_request(optarg);
        break;
      case 'n':
        options.connections = atol(optarg);
        break;
      case 'd':
        options.depth = atol(optarg);
        break;
      case 'r':
        options.requests = strtoul(optarg, NULL, 10);
        break;
      case 's':
        options.seconds = atof(optarg);
        break;
      case 'b':
        options.body = optarg, options.body_size = strlen(optarg);
        break;
      case 'c':
        options.core = atoi(optarg);
        break;
      case 'm':
        options.sources = atoi(optarg);
        break;
      case 'e':
        options.max_errors = atol(optarg);
        break;
      case 'i':
        options.idle = true;
        break;
      default:
        usage();
    }
  }
  if (request_size == 0 || options.address.sin_port == 0 || optind != argc || options.connections < 1 ||
      options.connections > kMaxConnections || options.depth < 1 || options.depth > kMaxDepth || options.sources < 1) {
    usage();
  }
}

static void prepare(void) {
  if (options.core >= 0) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(options.core, &set);
    if (sched_setaffinity(0, sizeof set, &set)) {
      die("load: sched_setaffinity");
    }
  }
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  copies = malloc(request_size * (size_t)(options.depth + 1));
  for (long i = 0; i <= options.depth; i++) {
    memcpy(copies + (size_t)i * request_size, request, request_size);
  }
}

static void open_all(void) {
  epoll = epoll_create1(EPOLL_CLOEXEC);
  connections = calloc((size_t)options.connections, sizeof *connections);
  for (long i = 0; i < options.connections; i++) {
    connections[i].sent = calloc((size_t)options.depth, sizeof *connections[i].sent);
    open_connection(&connections[i]);
  }
}

static double cpu_seconds(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

static void report(double seconds, double cpu) {
  printf("{\"requests\": %lu, \"seconds\": %.6f, \"rps\": %.1f, ", completed, seconds, (double)completed / seconds);
  printf("\"p50_us\": %.1f, \"p90_us\": %.1f, \"p99_us\": %.1f, \"p999_us\": %.1f, \"max_us\": %.1f, ",
         percentile_us(0.5), percentile_us(0.9), percentile_us(0.99), percentile_us(0.999), (double)slowest / 1000);
  printf("\"errors\": %lu, \"reconnects\": %lu, \"client_cpu_us\": %.3f}\n", failed + unasked, reconnects,
         completed > 0 ? cpu * 1e6 / (double)completed : 0);
}

int main(int argc, char** argv) {
  parse_options(argc, argv);
  prepare();
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
