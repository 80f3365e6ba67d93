// Patterns are parsed and paths matched without a crash, and all parameters lie inside the path. The input is lines
// "METHOD pattern", then an empty line, then the path.

#include <string>
#include <vector>

#include "fuzz_check.h"
#include "http/router.h"

using perigee::fuzz::check;
using perigee::fuzz::lies_within;
using perigee::http::Method;
using perigee::http::Router;
using Outcome = Router::Outcome;

namespace {

/// Takes a line off the front, without its end.
std::string_view take_line(std::string_view& text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(line.size() < text.size() ? line.size() + 1 : line.size());
  return line;
}

/// Adds the routes that are good; a second router shows that the good ones stay refused as doubles.
std::int32_t add_routes(Router& router, std::string_view& text) {
  std::int32_t count = 0;
  for (std::string_view line = take_line(text); !line.empty(); line = take_line(text)) {
    const std::size_t space = std::min(line.find(' '), line.size());
    const std::string_view method = line.substr(0, space);
    const std::string_view pattern = line.substr(std::min(space + 1, line.size()));
    if (router.add(method, pattern, count, "here")) {
      check(!router.add(method, pattern, count, "there"), "a route added twice conflicts");
      ++count;
    }
  }
  return count;
}

void check_match(const Router::Match& match, const Router::Parameters& parameters, std::string_view path,
                 std::int32_t routes) {
  switch (match.outcome) {
    case Outcome::kFound:
      check(match.route >= 0 && match.route < routes, "a route that was added is found");
      check(parameters.count <= Router::kMaxParameters, "parameters are bounded");
      for (std::uint32_t i = 0; i < parameters.count; ++i) {
        check(lies_within(parameters.values[i].text.view(), path), "a parameter lies within the path");
        check(parameters.values[i].text.size > 0, "a parameter is not empty");
      }
      return;
    case Outcome::kMethodNotAllowed:
    case Outcome::kOptions:
      check(match.allow.find("OPTIONS") != std::string_view::npos, "OPTIONS is always allowed");
      return;
    case Outcome::kBadParameter:
      check(match.refused != nullptr && !match.refused->name.empty(), "the parameter is named");
      check(lies_within(match.refused_text, path), "what is refused lies within the path");
      return;
    case Outcome::kNotFound:
      return;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text = perigee::fuzz::text_of(data, size);
  Router router;
  const std::int32_t routes = add_routes(router, text);
  const perigee::fuzz::ExactCopy copy(text);
  const std::string_view path = copy.view();
  Router::Parameters parameters;
  for (const std::string_view method : {"GET", "HEAD", "POST", "OPTIONS", "CONNECT", "BREW"}) {
    const Router::Match match = router.match(perigee::http::method_of(method), method, path, parameters);
    check_match(match, parameters, path, routes);
    check((match.outcome != Outcome::kOptions && match.outcome != Outcome::kMethodNotAllowed) ||
              (match.outcome == Outcome::kOptions) == (method == "OPTIONS"),
          "OPTIONS is answered, other methods are not allowed");
  }
  return 0;
}
