#include "profiler/exposition.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/escape.h"
#include "base/ticks.h"

namespace perigee::profiler {
namespace {

struct Bound {
  double seconds;
  std::string_view text;
};

constexpr std::array<Bound, 17> kBounds = {{{0.00005, "5e-05"},
                                            {0.0001, "0.0001"},
                                            {0.00025, "0.00025"},
                                            {0.0005, "0.0005"},
                                            {0.001, "0.001"},
                                            {0.0025, "0.0025"},
                                            {0.005, "0.005"},
                                            {0.01, "0.01"},
                                            {0.025, "0.025"},
                                            {0.05, "0.05"},
                                            {0.1, "0.1"},
                                            {0.25, "0.25"},
                                            {0.5, "0.5"},
                                            {1, "1"},
                                            {2.5, "2.5"},
                                            {5, "5"},
                                            {10, "10"}}};

// What a label's value or a help text must not hold as it is.
void append_escaped(std::string& out, std::string_view text, bool quotes) {
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0) {
      out += "\xEF\xBF\xBD";
    } else if (text[0] == '\n') {
      out += "\\n";
    } else {
      out.append(text[0] == '\\' || (quotes && text[0] == '"') ? "\\" : "").append(text.substr(0, length));
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
}

}  // namespace

void Exposition::family(std::string_view name, std::string_view type, std::string_view help) {
  name_ = name;
  text_.append("# HELP ").append(name) += ' ';
  append_escaped(text_, help, false);
  text_.append("\n# TYPE ").append(name).append(" ").append(type) += '\n';
}

void Exposition::begin_line(std::string_view suffix, Labels labels, std::string_view bound) {
  text_.append(name_).append(suffix);
  if (labels.size() == 0 && bound.empty()) {
    return;
  }
  char before = '{';
  for (const auto& [name, value] : labels) {
    (text_ += before).append(name).append("=\"");
    append_escaped(text_, value, true);
    text_ += '"';
    before = ',';
  }
  if (!bound.empty()) {
    (text_ += before).append("le=\"").append(bound) += '"';
  }
  text_ += '}';
}

void Exposition::end_line(std::uint64_t value) {
  char digits[24];
  (text_ += ' ').append(digits, std::to_chars(std::begin(digits), std::end(digits), value).ptr) += '\n';
}

void Exposition::end_line(double value) {
  if (!std::isfinite(value)) {
    text_ += std::isnan(value) ? " NaN\n" : value > 0 ? " +Inf\n" : " -Inf\n";
    return;
  }
  char digits[32];
  (text_ += ' ').append(digits, std::to_chars(std::begin(digits), std::end(digits), value).ptr) += '\n';
}

void Exposition::sample(Labels labels, std::uint64_t value) {
  begin_line({}, labels, {});
  end_line(value);
}

void Exposition::sample(Labels labels, double value) {
  begin_line({}, labels, {});
  end_line(value);
}

void Exposition::latencies(Labels labels, const HistogramSum& sum) {
  const double tick = seconds_per_tick();
  for (const Bound& bound : kBounds) {
    begin_line("_bucket", labels, bound.text);
    end_line(sum.count_up_to(static_cast<std::uint64_t>(bound.seconds / tick)));
  }
  begin_line("_bucket", labels, "+Inf");
  end_line(sum.count());
  begin_line("_sum", labels, {});
  end_line(static_cast<double>(sum.sum()) * tick);
  begin_line("_count", labels, {});
  end_line(sum.count());
}

}  // namespace perigee::profiler
