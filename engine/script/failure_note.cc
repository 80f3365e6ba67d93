#include "script/failure_note.h"

#include <algorithm>
#include <new>

#include "profiler/error_desk.h"
#include "script/exchange.h"
#include "script/vm.h"

namespace perigee::script {
namespace {

constexpr std::size_t kMostTarget = 2048;  // bytes that are looked at

// "q=*&page=*" of "q=secret&page=3".
void append_names(std::string& out, std::string_view query) {
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    const std::size_t equals = pair.find('=');
    out.append(pair.substr(0, equals));
    out += equals == std::string_view::npos ? "" : "=*";
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    out += query.empty() ? "" : "&";
  }
}

std::string route_of(Vm& vm, const Exchange& exchange) {
  const std::int32_t route = exchange.view.route;
  if (route < 0) {
    return "";
  }
  return std::string(exchange.view.method_text.view()) + " " + vm.routes()[static_cast<std::size_t>(route)].pattern;
}

}  // namespace

std::string sample_of(const Exchange& exchange) {
  const std::string_view target = exchange.view.target.view().substr(0, kMostTarget);
  const std::size_t mark = target.find('?');
  std::string line(exchange.view.method_text.view());
  line.append(" ").append(target.substr(0, mark));
  if (mark != std::string_view::npos) {
    line += '?';
    append_names(line, target.substr(mark + 1));
  }
  return line;
}

void note_failure(Vm& vm, const Task* task, std::string_view text, std::string_view host) noexcept {
  try {
    const Exchange* exchange = task != nullptr ? task->exchange : nullptr;
    const std::string route = exchange != nullptr ? route_of(vm, *exchange) : std::string();
    const std::string sample = exchange != nullptr ? sample_of(*exchange) : std::string();
    vm.host().errors().note({text, route, host, sample});
  } catch (const std::bad_alloc&) {
    return;  // the desk can do without
  }
}

}  // namespace perigee::script
