// Parts of engine/net: the queue of a stream's shared messages, of which only references wait.
#include <benchmark/benchmark.h>
#include <sys/uio.h>

#include <array>
#include <memory>
#include <string>

#include "net/shared_queue.h"

namespace {

// A message is queued, named for writev() and taken, as for each subscriber of a topic.
void shared_queue(benchmark::State& state) {
  perigee::net::SharedQueue queue;
  const auto message = std::make_shared<const std::string>(159, 'x');
  std::array<iovec, 8> vectors;
  for (auto _ : state) {
    queue.push({message, *message});
    benchmark::DoNotOptimize(queue.fill(vectors).size());
    queue.consume(message->size());
  }
}

BENCHMARK(shared_queue);

}  // namespace
