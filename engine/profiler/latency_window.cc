#include "profiler/latency_window.h"

namespace perigee::profiler {

HistogramSum LatencyWindow::recent(const HistogramSum& all, double now) {
  if (!begun_ || now - newer_time_ > 2 * span_) {
    begun_ = true;
    older_ = newer_ = all;
    older_time_ = newer_time_ = now;
  } else if (now - newer_time_ >= span_) {
    older_ = newer_;
    older_time_ = newer_time_;
    newer_ = all;
    newer_time_ = now;
  }
  HistogramSum recent = all;
  recent.subtract(older_);
  return recent;
}

}  // namespace perigee::profiler
