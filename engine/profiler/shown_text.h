#pragma once

#include <string>
#include <string_view>

namespace perigee::profiler {

/// A name as a line of text may show it, whatever the program or a client has put into it: with a '?' for each control
/// character, which terminals obey, for the C1 controls and the line separators of Unicode, and for each byte that is
/// no UTF-8.
[[nodiscard]] std::string shown_text(std::string_view text);

}  // namespace perigee::profiler
