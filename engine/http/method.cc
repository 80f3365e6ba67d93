#include "http/method.h"

#include <array>

namespace perigee::http {
namespace {

constexpr std::array<std::string_view, 9> kNames = {"GET",    "HEAD",    "POST",  "PUT",    "PATCH",
                                                    "DELETE", "OPTIONS", "TRACE", "CONNECT"};

}  // namespace

Method method_of(std::string_view token) {
  if (token == "GET") {
    return Method::kGet;
  }
  for (std::size_t i = 1; i < kNames.size(); ++i) {
    if (kNames[i] == token) {
      return static_cast<Method>(i);
    }
  }
  return Method::kExtension;
}

std::string_view method_name(Method method) {
  const auto index = static_cast<std::size_t>(method);
  return index < kNames.size() ? kNames[index] : std::string_view();
}

}  // namespace perigee::http
