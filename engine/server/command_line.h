#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <tl/expected.hpp>
#include <vector>

namespace perigee::server {

/// What `profile` is to record, and where that goes.
struct ProfileFlags {
  std::string kind = "cpu";
  double seconds = 10;
  int hertz = 99;
  std::string file;    ///< empty: a table is printed
  bool table = false;  ///< every call is counted instead
};

/// How `test` goes about it.
struct TestFlags {
  std::string filter;             ///< a Lua pattern: only tests whose names match
  std::string filter_out;         ///< a Lua pattern: no tests whose names match
  std::vector<std::string> tags;  ///< only tests whose names hold one of them, as "#slow"; written without the "#"
  std::vector<std::string> exclude_tags;  ///< no tests whose names do
  std::string junit;                      ///< the file that receives the results as XML; "" for none
  std::int64_t seed = -1;                 ///< of the order; -1: one of its own
  std::int64_t jobs = 0;                  ///< files at a time; 0: one for each core
  bool coverage = false;                  ///< count which lines of the app run
  std::string coverage_dir = "build/coverage";
  double time_limit = 10;  ///< seconds for each test
};

/// How `bench` does, besides paths and filter.
struct BenchFlags {
  std::int64_t count = 1;            ///< runs of each benchmark
  double seconds = 1;                ///< that one run takes, about
  double time_limit = 0;             ///< seconds that one may take; 0: as many as usual for `seconds`
  std::string cpu_profile;           ///< the file that receives where CPU time went; "" for none
  std::string memory_profile;        ///< likewise, what was allocated
  std::vector<std::string> compare;  ///< two files of earlier runs to compare instead; or none
};

/// What the program was asked to do.
struct CommandLine {
  enum class Command : std::uint8_t {
    kServe,
    kCheck,
    kReload,
    kHealth,
    kRoutes,
    kProfile,
    kTest,
    kBench,
    kNew,
    kVersion
  };

  Command command = Command::kServe;
  std::string config_path = "conf/server.toml";
  bool config_given = false;       ///< by -c; a missing file is then a mistake
  std::vector<std::string> sets;   ///< for load_options(): --set as written, then what the other flags come to
  bool json = false;               ///< of `routes`
  std::string folder;              ///< of `new`
  ProfileFlags profile;            ///< of `profile`
  std::vector<std::string> paths;  ///< of `test`: files and folders
  BenchFlags bench;                ///< of `bench`
  TestFlags test;                  ///< of `test`
};

/// Why there is nothing to do: the text to print, to standard output if `code` is 0, else to standard error.
struct CommandLineExit {
  int code = 0;
  std::string text;
};

/// Reads the program's arguments, without its name. Help ends with code 0, bad usage with 1.
[[nodiscard]] tl::expected<CommandLine, CommandLineExit> parse_command_line(std::span<const char* const> arguments);

}  // namespace perigee::server
