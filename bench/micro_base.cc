// Parts of engine/base: the buffer bytes wait in, and the wheel of deadlines.
#include <benchmark/benchmark.h>

#include <deque>
#include <string>

#include "base/buffer_pool.h"
#include "base/byte_buffer.h"
#include "base/timer_wheel.h"

namespace {

using perigee::BufferPool;
using perigee::ByteBuffer;
using perigee::Timer;
using perigee::TimerWheel;

// An answer of 200 bytes goes in and out: a block is borrowed and given back.
void buffer_append_and_consume(benchmark::State& state) {
  BufferPool pool;
  ByteBuffer buffer(pool);
  const std::string bytes(200, 'x');
  for (auto _ : state) {
    buffer.append(bytes);
    benchmark::DoNotOptimize(buffer.data());
    buffer.consume(bytes.size());
    buffer.release_if_empty();
  }
}

// A timeout is put off, as a connection's is by every request, beside so many others.
void timer_moved(benchmark::State& state) {
  TimerWheel wheel(0);
  std::deque<Timer> others;
  for (int i = 0; i < state.range(0); ++i) {
    others.emplace_back([](Timer&) {});
    wheel.add(others.back(), 1'000'000 + i);
  }
  Timer timer([](Timer&) {});
  perigee::Milliseconds deadline = 60'000;
  for (auto _ : state) {
    wheel.add(timer, ++deadline % 60'000 + 1);
  }
}

// One timer is added and fires, a millisecond later each.
void timer_fired(benchmark::State& state) {
  TimerWheel wheel(0);
  Timer timer([](Timer&) {});
  perigee::Milliseconds now = 0;
  for (auto _ : state) {
    wheel.add(timer, ++now);
    wheel.advance(now);
  }
}

BENCHMARK(buffer_append_and_consume);
BENCHMARK(timer_moved)->ArgName("others")->Arg(0)->Arg(100'000);
BENCHMARK(timer_fired);

}  // namespace
