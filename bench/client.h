// What the clients have in common: where they connect to, what they send, the clock, and what the process needs.
#pragma once
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { kMaxRequest = 65536 };

struct target {
  struct sockaddr_in address;
  int sources;  // local addresses to connect from, 127.0.0.1 upwards: one has too few ports for very many connections
  char request[kMaxRequest];
  size_t request_size;
};

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
