#include "server/config_mistakes.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace perigee::server {

std::string ConfigMistake::text() const {
  std::string out = place.file + ":";
  if (place.line > 0) {
    out += std::to_string(place.line) + ":" + std::to_string(place.column) + ":";
  }
  out += ' ';
  for (const char c : message) {
    out += c >= 0 && c < ' ' ? ' ' : c;
  }
  return out;
}

void ConfigMistakes::add(std::vector<OptionFault> faults) {
  for (OptionFault& fault : faults) {
    const Origin& origin = origins_[fault.option];
    if (!origin.failed && !origins_[fault.other].failed) {
      add(fault.item < origin.items.size() ? origin.items[fault.item] : origin.place, std::move(fault.message));
    }
  }
}

std::vector<ConfigMistake> ConfigMistakes::take() {
  const auto before = [](const ConfigMistake& one, const ConfigMistake& two) {
    return std::tuple(one.place.line == 0, one.place.line, one.place.column) <
           std::tuple(two.place.line == 0, two.place.line, two.place.column);
  };
  std::stable_sort(list_.begin(), list_.end(), before);
  return std::exchange(list_, {});
}

}  // namespace perigee::server
