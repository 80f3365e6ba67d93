#include "server/vm_replacement.h"

#include <catch2/catch.hpp>

#include "../script/fake_host.h"

TEST_CASE("vm replacement: VMs that grow again at once are not replaced again") {
  EventLog log;
  int reloads = 0;
  perigee::server::VmReplacement replacement([&reloads] { ++reloads; });
  CHECK(reloads == 0);
  replacement.ask(1, std::size_t{600} << 20);
  replacement.ask(0, std::size_t{700} << 20);
  CHECK(reloads == 1);
  CHECK(
      log.text() ==
      "the Lua VM of worker 2 holds 600 MiB, more than limits.vm_memory: a reload replaces every VM by a fresh one\n");
}
