#include "profiler/sample_ring.h"

#include <catch2/catch.hpp>
#include <vector>

using namespace perigee::profiler;

namespace {

void put(SampleRing& ring, std::int64_t weight, bool in_script, bool in_call = false) {
  RawSample* const sample = ring.begin();
  REQUIRE(sample != nullptr);
  sample->weight = weight;
  sample->in_script = in_script;
  sample->in_call = in_call;
  ring.commit();
}

std::vector<RawSample> drained(SampleRing& ring) {
  std::vector<RawSample> found;
  ring.drain([&](const RawSample& sample) { found.push_back(sample); });
  return found;
}

}  // namespace

TEST_CASE("sample ring: what was taken in the script waits for its stack, and what follows with it") {
  SampleRing ring;
  ring.prepare();
  put(ring, 1, false);
  put(ring, 2, true);
  put(ring, 3, false);
  CHECK(drained(ring).size() == 1);
  CHECK(ring.wants_script_stack());
  const std::vector<std::uint32_t> places = {7, 8};
  ring.take_script_stack(places, {6, 7});
  CHECK(!ring.wants_script_stack());
  const std::vector<RawSample> rest = drained(ring);
  REQUIRE(rest.size() == 2);
  CHECK(rest[0].places == 2);
  CHECK(rest[0].script[0] == 7);
  CHECK(rest[1].places == 0);
}

TEST_CASE("sample ring: what was taken in an instruction that is over has the place before") {
  SampleRing ring;
  ring.prepare();
  put(ring, 1, true, true);
  put(ring, 1, true, false);
  const std::vector<std::uint32_t> places = {7, 8};
  ring.take_script_stack(places, {6, 7});
  const std::vector<RawSample> found = drained(ring);
  REQUIRE(found.size() == 2);
  CHECK(found[0].script[0] == 6);
  CHECK(found[0].script[1] == 8);
  CHECK(found[1].script[0] == 7);
}

TEST_CASE("sample ring: what could not be known before is settled before the stack is given") {
  SampleRing ring;
  ring.prepare();
  put(ring, 1, true);
  put(ring, 2, false);
  const std::vector<std::uint32_t> places = {7, 8};
  ring.take_script_stack(places, {6, 7}, [](RawSample& sample) noexcept {
    sample.vm_state = 9;
    sample.in_call = true;
  });
  const std::vector<RawSample> found = drained(ring);
  REQUIRE(found.size() == 2);
  CHECK(found[0].vm_state == 9);
  CHECK(found[0].script[0] == 6);
  CHECK(found[1].vm_state == 0);
}

TEST_CASE("sample ring: what was taken in compiled code has the place that it was left from") {
  SampleRing ring;
  ring.prepare();
  RawSample* const sample = ring.begin();
  REQUIRE(sample != nullptr);
  sample->in_script = true;
  sample->vm_state = 3;
  ring.commit();
  const std::vector<std::uint32_t> places = {7, 8};
  ring.take_script_stack(places, {6, 5});
  const std::vector<RawSample> found = drained(ring);
  REQUIRE(found.size() == 1);
  CHECK(found[0].script[0] == 5);
  CHECK(found[0].script[1] == 8);
}

TEST_CASE("sample ring: what nobody reads is lost and counted, and there is room again once it is read") {
  SampleRing ring;
  ring.prepare();
  int taken = 0;
  while (ring.begin() != nullptr && taken < 10000) {
    ring.commit();
    ++taken;
  }
  CHECK(taken == 256);
  CHECK(ring.take_lost() == 1);
  CHECK(ring.take_lost() == 0);
  CHECK(drained(ring).size() == 256);
  CHECK(ring.begin() != nullptr);
}

TEST_CASE("sample ring: while it is full, what waits for a stack can be added to") {
  SampleRing ring;
  ring.prepare();
  put(ring, 1, true);
  CHECK(ring.waiting_in_full() == nullptr);
  for (int i = 1; i < 256; ++i) {
    put(ring, 1, true);
  }
  RawSample* const newest = ring.waiting_in_full();
  REQUIRE(newest != nullptr);
  newest->weight += 41;
  ring.take_script_stack(std::vector<std::uint32_t>{7}, {6, 7});
  CHECK(ring.waiting_in_full() == nullptr);  // it may be read any moment
  const std::vector<RawSample> found = drained(ring);
  REQUIRE(found.size() == 256);
  CHECK(found.back().weight == 42);
  CHECK(ring.take_lost() == 0);
}
