#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "profiler/histogram.h"

namespace perigee::profiler {

/// Writes metrics in Prometheus' text format 0.0.4. Names are the caller's and must be of its alphabet; label values
/// may be any bytes: they are escaped, and what is no UTF-8 in them becomes U+FFFD.
class Exposition {
 public:
  using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

  static constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";

  /// Begin a metric: the samples that follow are its. A counter's name ends in `_total`; units are base units.
  void counter(std::string_view name, std::string_view help) { family(name, "counter", help); }
  void gauge(std::string_view name, std::string_view help) { family(name, "gauge", help); }
  void histogram(std::string_view name, std::string_view help) { family(name, "histogram", help); }

  /// One sample of the metric begun last.
  void sample(Labels labels, std::uint64_t value);
  void sample(Labels labels, double value);
  /// One labelled histogram of ticks, in seconds, with the same bounds in every one.
  void latencies(Labels labels, const HistogramSum& sum);

  /// A metric that has one sample without labels.
  template <typename Number>
  void counter(std::string_view name, std::string_view help, Number value) {
    counter(name, help);
    sample({}, value);
  }
  template <typename Number>
  void gauge(std::string_view name, std::string_view help, Number value) {
    gauge(name, help);
    sample({}, value);
  }

  [[nodiscard]] std::string& text() { return text_; }

 private:
  void family(std::string_view name, std::string_view type, std::string_view help);
  void begin_line(std::string_view suffix, Labels labels, std::string_view bound);
  void end_line(std::uint64_t value);
  void end_line(double value);

  std::string text_;
  std::string name_;
};

}  // namespace perigee::profiler
