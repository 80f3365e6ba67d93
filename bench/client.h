// What the clients have in common: where they connect to, what they send, the clock, and what the process needs.
#pragma once
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { kMaxRequest = 65536, kMaxConnections = 65536 };

struct target {
  struct sockaddr_in address;
  int sources;  // local addresses to connect from, 127.0.0.1 upwards: one has too few ports for very many connections
  char request[kMaxRequest];
  size_t request_size;
};

// What every client is told on its command line.
struct common {
  struct target target;
  long connections;
  double seconds;
  int core;
};

// For getopt_long, by these letters.
// clang-format off
#define COMMON_OPTIONS                                          \
  {"address", 1, 0, 'a'}, {"port", 1, 0, 'p'},                  \
  {"request", 1, 0, 'f'}, {"connections", 1, 0, 'n'},           \
  {"seconds", 1, 0, 's'}, {"sources", 1, 0, 'm'},               \
  {"body", 1, 0, 'b'},    {"core", 1, 0, 'c'}
// clang-format on
#define COMMON_USAGE                                                      \
  "  --address A       IPv4 address (127.0.0.1)\n"                        \
  "  --connections N   keep-alive connections (64)\n"                     \
  "  --seconds S       run for so long (2)\n"                             \
  "  --sources N       connect from N addresses, 127.0.0.1 upwards (1)\n" \
  "  --body TEXT       every body must be exactly this\n"                 \
  "  --core K          run on this core only\n"

// What goes without saying.
struct common common_defaults(void);

// Takes one of them. False where it is another, or its argument makes no sense.
bool take_common(struct common* c, int option, const char* argument);

// Whether all that must be said was said, and what was said is possible.
bool is_possible(const struct common* c);

void die(const char* what);

// Nanoseconds of a clock that only goes forward.
uint64_t now(void);

// Reads the request's bytes; ends the program when there are none.
void read_request(struct target* t, const char* path);

// A blocking connection, number `number` of all.
int connect_to(const struct target* t, int number);

// Every descriptor the limits allow, and this core alone; any with -1.
void prepare_process(int core);

// Processor time of this process, in seconds.
double cpu_seconds(void);
