#include "profiler/stop_observer.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <future>
#include <thread>

#include "base/pulse.h"

using namespace perigee;
using namespace perigee::profiler;

namespace {

// A thread with a stay in a script, which is none.
class Stopped {
 public:
  explicit Stopped(StopObserver& observer)
      : thread_([this, &observer] {
          ThreadSampler sampler(0);
          observer.add(sampler);
          pulse.stay.store(++pulse.last);
          ready_.set_value();
          while (!over_.load()) {
            std::this_thread::yield();
          }
          pulse.stay.store(0);
          while (!gone_.load()) {
            std::this_thread::yield();
          }
          observer.remove(sampler);
        }) {
    ready_.get_future().wait();
  }
  ~Stopped() {
    over_ = gone_ = true;
    thread_.join();
  }
  void leave() { over_ = true; }

 private:
  std::promise<void> ready_;
  std::atomic<bool> over_{false};
  std::atomic<bool> gone_{false};
  std::thread thread_;
};

}  // namespace

TEST_CASE("stop observer: a stay that lasts is accounted for without its place while it has not answered") {
  StopObserver observer;
  Stopped thread(observer);
  REQUIRE(observer.start(1000));
  std::int64_t seen = 0;
  while (seen == 0) {  // without a VM there is nobody to answer
    for (const StopObserver::Stop& stop : observer.take(true)) {
      CHECK(!stop.sample.in_script);
      seen += stop.sample.weight;
    }
  }
  CHECK(seen > 0);
  observer.stop();
  CHECK(observer.take(true).empty());
}

TEST_CASE("stop observer: nothing is observed before it starts, and it may end at any time") {
  StopObserver observer;
  const Stopped thread(observer);
  CHECK(observer.take(true).empty());
}
