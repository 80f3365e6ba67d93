#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "http/method.h"

namespace perigee::http {

/// Methods as bits: the known ones by their number, extensions by the order in which a router met them.
using MethodSet = std::uint64_t;

/// Numbers a router's methods and writes sets of them as Allow fields. Methods are added by one thread; any may ask for
/// texts after that.
class MethodNames {
 public:
  /// The set of one method.
  [[nodiscard]] static MethodSet known(Method method) { return MethodSet{1} << static_cast<int>(method); }

  /// The set of one extension method; empty when there are more than 50.
  [[nodiscard]] MethodSet add_extension(std::string_view token);

  /// The methods of a set in a fixed order, OPTIONS always and HEAD beside GET: "GET, HEAD, OPTIONS". Lives as long as
  /// this object.
  [[nodiscard]] std::string_view allow_text(MethodSet methods) const;

 private:
  static constexpr std::size_t kKnown = static_cast<std::size_t>(Method::kExtension);

  [[nodiscard]] std::string write(MethodSet methods) const;

  std::vector<std::string> extensions_;
  mutable std::mutex mutex_;
  mutable std::map<MethodSet, std::string> texts_;  // each is written once and never moves
};

}  // namespace perigee::http
