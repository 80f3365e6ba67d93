#pragma once

#include "profiler/histogram.h"

namespace perigee::profiler {

/// What of a histogram that only grows is recent: of the last `span` to twice `span` seconds, by two earlier states.
class LatencyWindow {
 public:
  explicit LatencyWindow(double span) : span_(span) {}

  /// What was recorded since the window began. `all` is the histogram at `now`, seconds on any clock; where nobody
  /// asked for a while, the window begins now.
  [[nodiscard]] HistogramSum recent(const HistogramSum& all, double now);

 private:
  double span_;
  double older_time_ = 0;
  double newer_time_ = 0;
  bool begun_ = false;
  HistogramSum older_;
  HistogramSum newer_;
};

}  // namespace perigee::profiler
