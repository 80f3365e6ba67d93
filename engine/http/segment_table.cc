#include "http/segment_table.h"

#include <bit>
#include <utility>

namespace perigee::http {

std::int32_t SegmentTable::add(std::string_view segment) {
  if (slots_.size() < 2 * (static_cast<std::size_t>(count_) + 1)) {
    std::vector<Slot> old(slots_.empty() ? 4 : 2 * slots_.size());
    shift_ = 64 - std::countr_zero(old.size());
    old.swap(slots_);
    for (Slot& slot : old) {
      if (slot.position != kAbsent) {
        place(std::move(slot));
      }
    }
  }
  sizes_ |= std::uint64_t{1} << (segment.size() & 63);
  place({std::string(segment), count_});
  return count_++;
}

void SegmentTable::place(Slot slot) {
  std::size_t at = start_of(slot.text);
  while (slots_[at].position != kAbsent) {
    at = (at + 1) & (slots_.size() - 1);
  }
  slots_[at] = std::move(slot);
}

}  // namespace perigee::http
