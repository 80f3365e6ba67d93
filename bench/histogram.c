#include "histogram.h"

#include <stddef.h>
#include <stdio.h>

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

void histogram_add(struct histogram* h, uint64_t ns) {
  h->counts[bucket_of(ns)]++;
  h->total++;
  h->slowest = ns > h->slowest ? ns : h->slowest;
}

double histogram_us(const struct histogram* h, double share) {
  uint64_t seen = 0;
  for (unsigned i = 0; i < kBuckets && h->total > 0; i++) {
    seen += h->counts[i];
    if ((double)seen >= share * (double)h->total) {
      double ns = bucket_middle(i);
      return (ns < (double)h->slowest ? ns : (double)h->slowest) / 1000;
    }
  }
  return 0;
}

void histogram_print(const struct histogram* h, const char* prefix) {
  static const struct {
    const char* name;
    double share;
  } kShown[] = {{"p25", 0.25}, {"p50", 0.5},  {"p75", 0.75},  {"p90", 0.9},
                {"p95", 0.95}, {"p99", 0.99}, {"p999", 0.999}};
  for (size_t i = 0; i < sizeof kShown / sizeof *kShown; i++) {
    printf("\"%s%s_us\": %.1f, ", prefix, kShown[i].name, histogram_us(h, kShown[i].share));
  }
  printf("\"%siqr_us\": %.1f, ", prefix, histogram_us(h, 0.75) - histogram_us(h, 0.25));
  printf("\"%smax_us\": %.1f", prefix, (double)h->slowest / 1000);
}
