#include "profiler/symbols.h"

#include <zlib.h>
#include <catch2/catch.hpp>
#include <string>

using namespace perigee::profiler;

namespace {

__attribute__((noinline)) int some_function_of_ours(int x) {
  return x * 3;
}

}  // namespace

TEST_CASE("symbols: an address of ours has its function, file and line") {
  Symbols symbols;
  REQUIRE(some_function_of_ours(1) == 3);
  const auto& frames = symbols.at(reinterpret_cast<std::uintptr_t>(&some_function_of_ours));
  REQUIRE(!frames.empty());
  CHECK(frames.back().name.find("some_function_of_ours") != std::string::npos);
  CHECK(frames.back().file.find("symbols_test.cc") != std::string::npos);
  CHECK(frames.back().line > 0);
  CHECK(frames.back().kind == FrameKind::kNative);
}

TEST_CASE("symbols: a function of a library without line tables has its name") {
  Symbols symbols;
  const auto& frames = symbols.at(reinterpret_cast<std::uintptr_t>(&zlibVersion) + 1);
  REQUIRE(frames.size() == 1);
  CHECK(frames[0].line == 0);
}

TEST_CASE("symbols: what is no code has no function") {
  Symbols symbols;
  int local = 0;
  CHECK(symbols.at(reinterpret_cast<std::uintptr_t>(&local)).empty());
  CHECK(symbols.at(0).empty());
}

TEST_CASE("symbols: names are what people say") {
  const std::vector<std::pair<std::string, std::string>> names = {
      {"_ZN7perigee6server6Worker5serveERNS_3net10ConnectionE", "perigee::server::Worker::serve"},
      {"_ZNK7perigee6script2Vm6taskedEv", "perigee::script::Vm::tasked"},
      {"_ZNSt6vectorIiSaIiEE9push_backEOi", "std::vector::push_back"},
      {"_ZN12_GLOBAL__N_14workEi", "(anonymous namespace)::work"},
      {"_ZN1AclEi", "A::operator()"},
      {"_ZSt4moveIRiEONSt16remove_referenceIT_E4typeEOS2_", "std::move"},
      {"lua_resume", "lua_resume"},
      {"memcpy@@GLIBC_2.14", "memcpy"},
      {"", ""}};
  for (const auto& [symbol, expected] : names) {
    CHECK(plain_name(symbol) == expected);
  }
}
