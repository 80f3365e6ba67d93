#pragma once

#include <string>
#include <tl/expected.hpp>
#include <type_traits>
#include <utility>

namespace perigee {

/// Why something the world can break has failed: one sentence for a person, without a full stop.
struct Error {
  std::string message;
};

/// A value, or the reason there is none. For expected failures; programmer errors are assertions.
template <typename T = void>
using Result = tl::expected<T, Error>;

/// Makes the failed Result of any type.
inline tl::unexpected<Error> fail(std::string message) {
  return tl::unexpected<Error>(Error{std::move(message)});
}

/// The value of a Result that has one; nothing of a Result<void>.
template <typename T>
T value_of(Result<T>&& result) {
  if constexpr (!std::is_void_v<T>) {
    return *std::move(result);
  }
}

}  // namespace perigee

/// Evaluates a Result; hands its error to the caller, or yields its value.
#define TRY(expression)                                                     \
  __extension__({                                                           \
    auto try_result = (expression);                                         \
    if (!try_result) {                                                      \
      return tl::unexpected<perigee::Error>(std::move(try_result).error()); \
    }                                                                       \
    perigee::value_of(std::move(try_result));                               \
  })
