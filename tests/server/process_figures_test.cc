#include "server/process_figures.h"

#include <unistd.h>

#include <catch2/catch.hpp>

#include "base/clock.h"

using namespace perigee;

TEST_CASE("process figures: they are this process's") {
  const server::ProcessFigures figures = server::process_figures();
  CHECK(figures.cpu_seconds >= 0);
  CHECK(figures.resident_bytes > 1'000'000);
  CHECK(figures.virtual_bytes >= figures.resident_bytes);
  CHECK(figures.threads >= 1);
  CHECK(figures.open_descriptors >= 3);
  CHECK(figures.most_descriptors >= figures.open_descriptors);
  CHECK(figures.start_time <= wall_seconds() + 1);
  CHECK(figures.start_time > wall_seconds() - 3600);
  CHECK(server::process_figures().start_time == figures.start_time);
}

TEST_CASE("process figures: an open descriptor is counted") {
  const auto before = server::process_figures().open_descriptors;
  const int extra = dup(2);
  CHECK(server::process_figures().open_descriptors == before + 1);
  close(extra);
}

TEST_CASE("process figures: the page has them under their usual names") {
  profiler::Exposition page;
  server::write_process(page);
  for (const char* name : {"process_cpu_seconds_total ", "process_resident_memory_bytes ", "process_open_fds ",
                           "process_start_time_seconds ", "perigee_build_info{version=\""}) {
    CHECK(page.text().find(std::string("\n") + name) != std::string::npos);
  }
}
