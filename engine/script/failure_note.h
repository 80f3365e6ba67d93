#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace perigee::script {

class Exchange;
class Task;
class Vm;

/// A request as its errors are shown with it, "GET /search?q=*&page=*": the path as it was sent, and the names of the
/// query's parameters without their values, which may be secret.
[[nodiscard]] std::string sample_of(const Exchange& exchange);
[[nodiscard]] std::string sample_of(std::string_view method, std::string_view target);

inline constexpr std::size_t kMostSampled = 2048;  ///< bytes of a target that are looked at

/// Has the server's error desk count a failure of `task`, which may be null. `text` is a message, perhaps with its
/// traceback; `host` is whom a failed call was for, else "". Worker's thread only.
void note_failure(Vm& vm, const Task* task, std::string_view text, std::string_view host = "") noexcept;

}  // namespace perigee::script
