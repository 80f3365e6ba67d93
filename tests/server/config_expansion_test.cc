#include "server/config_expansion.h"

#include <catch2/catch.hpp>
#include <cstdlib>

#include "scratch.h"

using perigee::Result;
using perigee::server::expand;
using perigee::server::read_file;

namespace {

std::string expanded(const std::string& text) {
  const Result<std::string> result = expand(text);
  return result ? *result : "error: " + result.error().message;
}

}  // namespace

TEST_CASE("config expansion: variables are filled in once, and a doubled dollar is a plain one") {
  ::setenv("PERIGEE_TEST_A", "alpha$", 1);
  ::setenv("PERIGEE_TEST_B", "${PERIGEE_TEST_A}", 1);
  ::setenv("PERIGEE_TEST_EMPTY", "", 1);
  ::setenv("PERIGEE_TEST_BYTES", "\xff", 1);
  ::unsetenv("PERIGEE_TEST_NONE");
  const auto [text, expected] = GENERATE(table<std::string, std::string>({
      {"", ""},
      {"plain $ and } and {", "plain $ and } and {"},
      {"${PERIGEE_TEST_A}", "alpha$"},
      {"<${PERIGEE_TEST_A}${PERIGEE_TEST_A}>", "<alpha$alpha$>"},
      {"${PERIGEE_TEST_B}", "${PERIGEE_TEST_A}"},
      {"${PERIGEE_TEST_EMPTY}", ""},
      {"$${PERIGEE_TEST_A}", "${PERIGEE_TEST_A}"},
      {"$$${PERIGEE_TEST_A}", "$${PERIGEE_TEST_A}"},
      {"$$", "$$"},
      {"${PERIGEE_TEST_NONE}", "error: '${PERIGEE_TEST_NONE}' is not set in the environment"},
      {"${}", "error: '${}' is neither ${NAME} nor ${file:PATH}; write $${ for a plain ${"},
      {"${1A}", "error: '${1A}' is neither ${NAME} nor ${file:PATH}; write $${ for a plain ${"},
      {"${A B}", "error: '${A B}' is neither ${NAME} nor ${file:PATH}; write $${ for a plain ${"},
      {"a ${PERIGEE", "error: '${' has no '}'; write $${ for a plain ${"},
      {"${PERIGEE_TEST_BYTES}", "error: '${PERIGEE_TEST_BYTES}' holds bytes that are no UTF-8"},
  }));
  CHECK(expanded(text) == expected);
}

TEST_CASE("config expansion: a file is filled in without the newline at its end") {
  const Scratch scratch;
  const auto [content, expected] = GENERATE(table<std::string, std::string>({
      {"hush", "hush"},
      {"hush\n", "hush"},
      {"hush\r\n", "hush"},
      {"two\nlines\n\n", "two\nlines\n"},
      {"\n", ""},
      {"", ""},
  }));
  CHECK(expanded("${file:" + scratch.file("secret", content) + "}") == expected);
}

TEST_CASE("config expansion: a file that cannot be read is named with the reason") {
  const Scratch scratch;
  CHECK(expanded("${file:/nowhere/at/all}") ==
        "error: '${file:/nowhere/at/all}' cannot be read: No such file or directory");
  CHECK(expanded("${file:" + scratch.path("") + "}").ends_with("cannot be read: Is a directory"));
  CHECK(expanded("${file:/dev/zero}").ends_with("it is larger than 1048576 bytes"));
}

TEST_CASE("config expansion: a file is read up to its limit and no further") {
  const Scratch scratch;
  const std::string path = scratch.file("ten", "0123456789");
  CHECK(read_file(path, 10).value_or("") == "0123456789");
  CHECK_FALSE(read_file(path, 9));
}
