#include "profiler/watched_threads.h"

#include <algorithm>
#include <new>
#include <utility>

#include "base/clock.h"
#include "base/log.h"
#include "profiler/wait_sites.h"

namespace perigee::profiler {

void WatchedThreads::add(ThreadSampler& sampler, Hooks hooks) {
  threads_.push_back({&sampler, std::move(hooks)});
  stops_.add(sampler);
  for (const ProfileKind kind : kProfileKinds) {
    if (rate(kind) > 0) {
      // A recording that began elsewhere has the others.
      static_cast<void>(apply(threads_.back(), kind, rate(kind)));
    }
  }
}

void WatchedThreads::remove(ThreadSampler& sampler) noexcept {
  try {
    keep_what_is_left(sampler);
  } catch (const std::bad_alloc&) {
    log_event(LogLevel::kError, "out of memory: samples of a profile are lost");
  }
  stops_.remove(sampler);
  std::erase_if(threads_, [&sampler](const Thread& thread) { return thread.sampler == &sampler; });
}

void WatchedThreads::keep_what_is_left(ThreadSampler& sampler) {
  for (const ProfileKind kind : {ProfileKind::kCpu, ProfileKind::kAlloc}) {
    if (rate(kind) > 0) {
      take_ring(kind, sampler, left_[static_cast<std::size_t>(kind)]);
    }
  }
}

Result<> WatchedThreads::set_rate(ProfileKind kind, int hertz) {
  const bool changes = (rate(kind) > 0) != (hertz > 0);
  rates_[static_cast<std::size_t>(kind)] = hertz;
  if (kind == ProfileKind::kBlock) {
    hertz > 0 ? TRY(stops_.start(hertz)) : stops_.stop();
    return {};
  }
  for (const Thread& thread : threads_) {
    if (changes || kind == ProfileKind::kCpu) {
      TRY(apply(thread, kind, hertz));
    }
  }
  return {};
}

Result<> WatchedThreads::apply(const Thread& thread, ProfileKind kind, int hertz) {
  const bool on = hertz > 0;
  switch (kind) {
    case ProfileKind::kCpu:
      if (on) {
        return thread.sampler->start(hertz);
      }
      thread.sampler->stop();
      break;
    case ProfileKind::kAlloc:
      thread.sampler->sample_allocations(on ? kAllocationPeriod : 0);
      if (thread.hooks.sample_allocations) {
        thread.hooks.sample_allocations(on);
      }
      break;
    case ProfileKind::kWait:
      on ? thread.sampler->waits().start() : thread.sampler->waits().stop();
      if (thread.hooks.note_waits) {
        thread.hooks.note_waits(on);
      }
      break;
    case ProfileKind::kBlock:
      break;  // the observer has seen to it
  }
  return {};
}

WatchedThreads::Taken WatchedThreads::take(ProfileKind kind, bool last) {
  Taken taken = std::exchange(left_[static_cast<std::size_t>(kind)], {});
  if (kind == ProfileKind::kBlock) {
    take_stops(last, taken);
    return taken;
  }
  for (const Thread& thread : threads_) {
    if (kind == ProfileKind::kWait) {
      take_waits(*thread.sampler, last, taken);
    } else {
      take_ring(kind, *thread.sampler, taken);
    }
  }
  return taken;
}

TakenSample WatchedThreads::named(const RawSample& sample, ThreadSampler& sampler) const {
  TakenSample one;
  one.raw = sample;
  one.worker = sampler.worker();
  one.route = sample.route < 0 ? std::string() : route_name_(sample.route);
  for (std::size_t i = 0; i < sample.places; ++i) {
    one.places.push_back(sampler.places().place(sample.script[i]));
  }
  if (sample.trace != 0) {
    one.trace = sampler.places().place(sample.trace);
  }
  return one;
}

TakenSample WatchedThreads::named(const WaitLog::Wait& wait, ThreadSampler& sampler) const {
  TakenSample one;
  one.worker = sampler.worker();
  one.route = wait.route < 0 ? std::string() : route_name_(wait.route);
  for (const std::uint32_t place : wait.stack) {
    one.places.push_back(sampler.places().place(place));
  }
  one.began = wait.began;
  one.ended = wait.ended;
  return one;
}

void WatchedThreads::take_ring(ProfileKind kind, ThreadSampler& sampler, Taken& taken) const {
  SampleRing& ring = kind == ProfileKind::kCpu ? sampler.computing() : sampler.allocating();
  ring.drain([&](const RawSample& sample) { taken.samples.push_back(named(sample, sampler)); });
  if (kind == ProfileKind::kAlloc) {
    for (TakenSample& sample : taken.samples) {
      sample.what = TakenSample::What::kAllocation;
    }
  }
  taken.lost += ring.take_lost();
}

void WatchedThreads::take_waits(ThreadSampler& sampler, bool last, Taken& taken) const {
  const std::vector<WaitSite> sites = wait_sites();
  const auto put = [&](const WaitLog::Wait& wait, std::vector<TakenSample>& out) {
    out.push_back(named(wait, sampler));
    out.back().what = TakenSample::What::kWait;
    out.back().site = sites[wait.site < sites.size() ? wait.site : 0];
  };
  for (const WaitLog::Wait& wait : sampler.waits().take_ended()) {
    put(wait, taken.samples);
  }
  for (WaitLog::Wait& wait : last ? sampler.waits().open() : std::vector<WaitLog::Wait>()) {
    wait.ended = monotonic_ns();
    put(wait, taken.lasting);
  }
  taken.lost += sampler.waits().take_lost();
}

void WatchedThreads::take_stops(bool last, Taken& taken) {
  for (const StopObserver::Stop& stop : stops_.take(last)) {
    const auto thread =
        std::find_if(threads_.begin(), threads_.end(), [&](const Thread& one) { return one.sampler == stop.thread; });
    if (thread != threads_.end()) {
      // One whose place is not known yet comes again when it is.
      std::vector<TakenSample>& out = stop.sample.in_script ? taken.samples : taken.lasting;
      out.push_back(named(stop.sample, *thread->sampler));
      out.back().what = TakenSample::What::kStop;
      out.back().long_stop = stop.is_long;
    }
  }
  for (const Thread& thread : threads_) {
    taken.lost += thread.sampler->stopping().take_lost();
  }
}

}  // namespace perigee::profiler
