#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/path_type.h"

namespace perigee::http {

/// One parameter of a pattern, in order of appearance.
struct PatternParameter {
  std::string name;
  PathType type = PathType::kString;
  std::int32_t custom = -1;  ///< of kCustom: which of the app's own types, by its place in their list
  bool rest = false;
};

/// A pattern taken apart: literal segments, {name}, {name:type}, {rest*} last.
struct Pattern {
  static constexpr std::size_t kMaxParameters = 16;

  struct Segment {
    std::string literal;          ///< when parameter < 0
    std::int32_t parameter = -1;  ///< index into parameters
  };
  std::vector<Segment> segments;
  std::vector<PatternParameter> parameters;

  /// Reads a pattern; an error says what is wrong with it ("unknown type 'int' ... did you mean 'integer'?"). `custom`
  /// names the app's own types.
  [[nodiscard]] static Result<Pattern> parse(std::string_view text, const std::vector<std::string>& custom = {});
};

}  // namespace perigee::http
