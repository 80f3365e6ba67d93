#include "http/method_set.h"

#include <algorithm>
#include <cstddef>

namespace perigee::http {

MethodSet MethodNames::add_extension(std::string_view token) {
  const auto found = std::find(extensions_.begin(), extensions_.end(), token);
  const auto index = static_cast<std::size_t>(found - extensions_.begin());
  if (found == extensions_.end()) {
    if (extensions_.size() == 50) {
      return 0;
    }
    extensions_.emplace_back(token);
  }
  return MethodSet{1} << (kKnown + index);
}

std::string MethodNames::write(MethodSet methods) const {
  std::string text;
  for (std::size_t bit = 0; bit < kKnown + extensions_.size(); ++bit) {
    if ((methods >> bit & 1) != 0) {
      text += text.empty() ? "" : ", ";
      text += bit < kKnown ? method_name(static_cast<Method>(bit)) : std::string_view(extensions_[bit - kKnown]);
    }
  }
  return text;
}

std::string_view MethodNames::allow_text(MethodSet methods) const {
  methods |= known(Method::kOptions);
  methods |= (methods & known(Method::kGet)) != 0 ? known(Method::kHead) : 0;
  const std::lock_guard<std::mutex> lock(mutex_);
  std::string& text = texts_[methods];
  if (text.empty()) {
    text = write(methods);
  }
  return text;
}

}  // namespace perigee::http
