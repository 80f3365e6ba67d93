#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "state/flights.h"
#include "state/shared_dictionary.h"

namespace perigee::state {

/// The shared dictionaries of the process by their names, made when they are first asked for. They live as long as
/// this. Any thread.
class SharedDictionaries {
 public:
  static constexpr std::size_t kMost = 1000;

  struct Settings {
    std::size_t default_size = SharedDictionary::Settings().size;  ///< bytes, of those that are not in `named`
    std::map<std::string, SharedDictionary::Settings, std::less<>> named;
  };

  /// Changes the bounds of those that are there, and of those to come.
  void apply(const Settings& settings);

  /// The dictionary called `name`; null for one more than kMost that no setting names. Throws std::bad_alloc.
  [[nodiscard]] SharedDictionary* find(std::string_view name);

  /// What a dictionary holds.
  struct Figures {
    std::string name;
    std::size_t entries;
    std::size_t used;  ///< bytes
    std::size_t size;  ///< bytes it may use
    std::uint64_t evictions;
  };

  /// Those of every dictionary, by name. Counting holds each lock of a dictionary for a moment.
  [[nodiscard]] std::vector<Figures> figures();

  /// What SharedDictionary's users compute for each other, named "DICTIONARY\0KEY".
  [[nodiscard]] Flights& flights() { return flights_; }

 private:
  [[nodiscard]] SharedDictionary::Settings settings_of(std::string_view name) const;

  std::mutex mutex_;
  Settings settings_;                                                              // guarded by mutex_
  std::map<std::string, std::unique_ptr<SharedDictionary>, std::less<>> by_name_;  // guarded by mutex_
  Flights flights_;
};

}  // namespace perigee::state
