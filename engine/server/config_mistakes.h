#pragma once

#include <map>
#include <string>
#include <vector>

#include "server/option_checks.h"

namespace perigee::server {

/// Where something of the configuration stands.
struct ConfigPlace {
  static constexpr const char* kCommandLine = "command line";

  std::string file = kCommandLine;  ///< as it was given; kCommandLine for an override
  int line = 0;                     ///< from 1; 0: of no line
  int column = 0;                   ///< from 1, in characters
};

/// One thing wrong with the configuration.
struct ConfigMistake {
  ConfigPlace place;
  std::string message;

  /// "conf/server.toml:12:3: unknown key 'lisen' in [server]; did you mean 'listen'?", one line.
  [[nodiscard]] std::string text() const;
};

/// Everything that is wrong with a configuration, gathered while it is read. One thread.
class ConfigMistakes {
 public:
  /// Where an option was set last, for mistakes that only show later.
  struct Origin {
    ConfigPlace place;
    std::vector<ConfigPlace> items;  ///< of a list
    bool failed = false;             ///< its value is none, which was said
  };

  void add(const ConfigPlace& place, std::string message) { list_.push_back({place, std::move(message)}); }
  void set_origin(const std::string& option, Origin origin) { origins_[option] = std::move(origin); }

  /// Adds what only shows when all options are there, where they were set. Nothing of options whose values are none.
  void add(std::vector<OptionFault> faults);

  /// All of it, in the order of the file; then what has no line.
  [[nodiscard]] std::vector<ConfigMistake> take();

 private:
  std::map<std::string, Origin> origins_;  // by option
  std::vector<ConfigMistake> list_;
};

}  // namespace perigee::server
