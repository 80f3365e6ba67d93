#pragma once

#include <span>
#include <string_view>

namespace perigee {

/// The candidate a mistyped `word` most likely meant: the least number of letters put in, left out, changed or swapped
/// with a neighbour, at most a third of the word (and at least one). Empty when none is that near. Any thread.
[[nodiscard]] std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace perigee
