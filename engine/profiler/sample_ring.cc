#include "profiler/sample_ring.h"

#include <algorithm>

namespace perigee::profiler {

RawSample* SampleRing::begin() noexcept {
  const std::uint64_t at = next_.load(std::memory_order_relaxed);
  if (at - read_.load(std::memory_order_acquire) >= kKept) {
    lost_.fetch_add(1, std::memory_order_relaxed);
    return nullptr;
  }
  RawSample& sample = ring_[at % kKept];
  sample.weight = 0;
  sample.count = 1;
  sample.tag = sample.stay = 0;
  sample.route = -1;
  sample.vm_state = 0;
  sample.in_script = sample.in_call = sample.late = false;
  sample.trace = 0;
  sample.machine_code = 0;
  sample.inner = sample.frames = sample.places = 0;
  return &sample;
}

RawSample* SampleRing::waiting_in_full() noexcept {
  const std::uint64_t next = next_.load(std::memory_order_relaxed);
  const bool full = next - read_.load(std::memory_order_acquire) >= kKept;
  const bool waits = full && next > complete_.load(std::memory_order_relaxed);
  RawSample& newest = ring_[(next - 1) % kKept];
  return waits && newest.in_script ? &newest : nullptr;
}

void SampleRing::commit() noexcept {
  const std::uint64_t at = next_.load(std::memory_order_relaxed);
  next_.store(at + 1, std::memory_order_relaxed);
  if (ring_[at % kKept].in_script && !pending_.load(std::memory_order_relaxed)) {
    oldest_pending_ = at;
    pending_.store(true, std::memory_order_relaxed);
  }
  if (!pending_.load(std::memory_order_relaxed)) {
    complete_.store(at + 1, std::memory_order_release);
  }
}

void SampleRing::give_stack(RawSample& sample, std::span<const std::uint32_t> places, InnerPlace inner) noexcept {
  sample.places = static_cast<std::uint8_t>(places.size());
  std::copy(places.begin(), places.end(), sample.script.begin());
  if (sample.in_call && !places.empty()) {
    sample.script[0] = inner.called;
  } else if (sample.vm_state > 0 && !places.empty()) {
    sample.script[0] = inner.left;
  }
}

// A signal may come at any point here and add a sample: then there is another round.
void SampleRing::take_script_stack(std::span<const std::uint32_t> places, InnerPlace inner,
                                   void (*settle)(RawSample& sample) noexcept) noexcept {
  if (!wants_script_stack()) {
    return;
  }
  places = places.first(std::min(places.size(), RawSample::kMostPlaces));
  std::uint64_t at = oldest_pending_;
  std::uint64_t end = 0;
  do {
    end = next_.load(std::memory_order_relaxed);
    for (; at < end; ++at) {
      RawSample& sample = ring_[at % kKept];
      if (!sample.in_script) {
        continue;
      }
      if (settle != nullptr) {
        settle(sample);
      }
      give_stack(sample, places, inner);
    }
    complete_.store(end, std::memory_order_release);
    pending_.store(false, std::memory_order_relaxed);
    std::atomic_signal_fence(std::memory_order_seq_cst);
  } while (next_.load(std::memory_order_relaxed) != end);
}

}  // namespace perigee::profiler
