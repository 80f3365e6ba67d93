#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/method.h"
#include "http/method_set.h"
#include "http/pattern.h"
#include "http/segment_table.h"

namespace perigee::http {

/// A route as it was added.
struct RouteEntry {
  std::string method;
  std::string text;
  std::string place;
  Pattern pattern;
};

/// One place in the trie. Entries are numbers into RouteTrie::entries.
struct RouteNode {
  static constexpr std::size_t kMethods = static_cast<std::size_t>(Method::kExtension);
  static constexpr std::int32_t kNone = -1;

  struct Typed {
    PathType type;
    std::int32_t custom;
    std::unique_ptr<RouteNode> node;

    /// Its turn among those at one place: the fewer texts its type takes, the earlier.
    [[nodiscard]] std::pair<int, std::int32_t> turn() const;
  };

  RouteNode() {
    by_method.fill(kNone);
    answers.fill(kNone);
  }

  SegmentTable names;                                ///< of the literals
  std::vector<std::unique_ptr<RouteNode>> literals;  ///< by the positions that `names` gives
  std::vector<Typed> typed;                          ///< in turn; {name} is the last
  std::unique_ptr<RouteNode> rest;
  std::array<std::int32_t, kMethods> by_method;  ///< the entry that ends here
  std::vector<std::int32_t> extensions;          ///< entries of other methods
  std::int32_t any = kNone;
  MethodSet methods = 0;                           ///< that end here, "any" left out
  std::array<std::int32_t, kMethods + 1> answers;  ///< the entry that answers each method, the last any extension

  /// The child that a segment leads to, made where there is none yet.
  [[nodiscard]] RouteNode& literal_child(std::string_view text);
  [[nodiscard]] RouteNode& typed_child(const PatternParameter& parameter);
  [[nodiscard]] RouteNode& rest_child();
  /// HEAD falls back to GET, and every method to any. After each change to the entries.
  void settle_answers();
};

/// The patterns of a Router, as a tree of their segments. Grows only while routes are added; then any thread may read
/// it.
struct RouteTrie {
  RouteNode root;
  std::deque<RouteEntry> entries;    // PatternParameters are pointed to
  std::vector<std::int32_t> routes;  // of the entries
  MethodNames methods;
  SegmentTable plain_paths;              // of the patterns without parameters, whole
  std::vector<RouteNode*> plain_places;  // by the positions that it gives
  std::vector<std::string> custom_types;

  /// The place where a pattern ends, made where there is none yet.
  [[nodiscard]] RouteNode& place_of(const Pattern& pattern);
  /// A path that one pattern spells out is the most specific there is: it is found without a walk.
  void add_plain_path(const Pattern& pattern, RouteNode& place);
  /// Where the entry of a method goes; null when the method's name is one too many.
  [[nodiscard]] std::int32_t* slot_of(RouteNode& node, std::string_view method);
};

}  // namespace perigee::http
