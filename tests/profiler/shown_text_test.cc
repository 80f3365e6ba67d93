#include "profiler/shown_text.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

using perigee::profiler::shown_text;

TEST_CASE("shown text: what drives a terminal, ends a line or is no UTF-8 is not shown") {
  const std::vector<std::pair<std::string, std::string>> cases = {{"", ""},
                                                                  {"GET /a\"b</script>", "GET /a\"b</script>"},
                                                                  {"caf\u00e9 \U0001f600", "caf\u00e9 \U0001f600"},
                                                                  {"a\x1b[2Jb\nc\x7f", "a?[2Jb?c?"},
                                                                  {std::string("a\0b", 3), "a?b"},
                                                                  {"a\u009b2Jb\u2028c\u2029", "a?2Jb?c?"},
                                                                  {"a\xff\xfe", "a??"},
                                                                  {"a\xc3", "a?"}};
  for (const auto& [text, expected] : cases) {
    CHECK(shown_text(text) == expected);
  }
}
