#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/slice.h"
#include "http/method.h"
#include "http/pattern.h"

namespace perigee::http {

/// A parameter taken out of a path, as Lua's FFI reads it.
struct PathParameter {
  Slice text;         ///< points into the path given to match()
  double number = 0;  ///< the value of integer, number and boolean parameters
};

struct RouteTrie;

/// Finds the route of a path: a trie of segments with typed parameters and backtracking. A literal beats a typed
/// parameter, that beats an untyped one, that beats a rest; of several types at one place the narrower is tried first:
/// boolean, integer, number, uuid, date, keyword, slug, json, then the app's own in their order. A parameter takes one
/// segment that is not empty, a rest one character or more, slashes included: "/files/" is not a path of
/// "/files/{path*}". A slash at the end counts.
///
/// The most specific route that takes path *and* method answers: where a more specific pattern lacks the method, a less
/// specific one that has it is found. Only when none has it the path is kMethodNotAllowed, or kOptions, with the
/// methods of all its patterns. A path that no pattern takes is tried once more without regard to types: a route of the
/// method makes it kBadParameter, routes of other methods only kMethodNotAllowed.
///
/// Immutable once built; then any thread may match.
class Router {
 public:
  static constexpr std::size_t kMaxParameters = Pattern::kMaxParameters;
  struct Parameters {
    std::array<PathParameter, kMaxParameters> values;
    std::uint32_t count = 0;
  };

  enum class Outcome : std::uint8_t {
    kFound,             ///< route, parameters
    kNotFound,          ///< no pattern takes the path
    kMethodNotAllowed,  ///< `allow` lists what the path takes
    kOptions,           ///< OPTIONS that no route of its own answers; `allow` says what the path takes
    kBadParameter       ///< a pattern takes the path but for the type of one parameter
  };
  struct Match {
    Outcome outcome = Outcome::kNotFound;
    std::int32_t route = -1;
    std::string_view allow;                     ///< "GET, HEAD, OPTIONS": lives as long as the router
    const PatternParameter* refused = nullptr;  ///< kBadParameter: which (its text is refused_text)
    std::string_view refused_text;
  };

  Router();
  ~Router();
  Router(Router&&) noexcept;
  Router& operator=(Router&&) noexcept;

  /// Names the app's own types, before any route is added.
  void set_custom_types(std::vector<std::string> names);

  /// Adds route number `route`. `method` is an upper-case token, or "*" for any. `place` (file:line) is for messages.
  /// Fails on a bad pattern, on more than kMaxParameters, and when another route of the same method takes the same
  /// paths (two that differ only in parameter names do); the message names both places.
  [[nodiscard]] Result<> add(std::string_view method, std::string_view pattern, std::int32_t route,
                             std::string_view place);

  /// Matches a decoded path. HEAD falls back to GET, OPTIONS is answered for every known path. "*" matches no route.
  /// A route of the exact method beats one of any method, which answers OPTIONS itself. `parameters` count only when a
  /// route was found.
  [[nodiscard]] Match match(Method method, std::string_view method_text, std::string_view path,
                            Parameters& parameters) const;

  /// Matches again, passing over the routes whose numbers are in `refused`; they took the path and a parameter's value
  /// turned out not to be of its type. kNotFound when no other takes it.
  [[nodiscard]] Match match_again(Method method, std::string_view method_text, std::string_view path,
                                  Parameters& parameters, const std::vector<std::int32_t>& refused) const {
    return match_but(method, method_text, path, parameters, &refused);
  }

 private:
  [[nodiscard]] Match match_but(Method method, std::string_view method_text, std::string_view path,
                                Parameters& parameters, const std::vector<std::int32_t>* refused) const;
  [[nodiscard]] Match explain(Method method, std::string_view method_text, std::string_view path, std::uint64_t allowed,
                              Parameters& parameters) const;
  std::unique_ptr<RouteTrie> trie_;
};

}  // namespace perigee::http
