// Latencies in 64 buckets for each power of two, so that a figure is at most 1.6 % off however large it is.
#pragma once
#include <stdint.h>

enum { kSubBits = 6, kSub = 1 << kSubBits, kBuckets = 64 * kSub };

struct histogram {
  uint64_t counts[kBuckets];
  uint64_t total, slowest;
};

void histogram_add(struct histogram* h, uint64_t ns);

// The latency that this share of all had at most, in microseconds; 0 when there is none.
double histogram_us(const struct histogram* h, double share);

// Prints members of a JSON object, without braces: "p50_us": ..., and so on to "max_us"; the interquartile range too.
void histogram_print(const struct histogram* h, const char* prefix);
