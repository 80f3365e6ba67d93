#include "script/failure_note.h"

#include <algorithm>
#include <memory>
#include <new>

#include "profiler/error_desk.h"
#include "script/exchange.h"
#include "script/origin.h"
#include "script/vm.h"

namespace perigee::script {
namespace {

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

}  // namespace

std::string sample_of(const Exchange& exchange) {
  return sample_of(exchange.view.method_text.view(), exchange.view.target.view());
}

std::string sample_of(std::string_view method, std::string_view target) {
  target = target.substr(0, kMostSampled);
  const std::size_t mark = target.find('?');
  std::string line(method);
  line.append(" ").append(target.substr(0, mark));
  if (mark != std::string_view::npos) {
    line += '?';
    append_names(line, target.substr(mark + 1));
  }
  return line;
}

void note_failure(Vm& vm, const Task* task, std::string_view text, std::string_view host) noexcept {
  try {
    const std::shared_ptr<const Origin> origin = task != nullptr ? task->origin : nullptr;
    if (const Exchange* exchange = task != nullptr ? task->exchange : nullptr; exchange != nullptr) {
      vm.host().errors().note({text, route_of(vm, *exchange), host, sample_of(*exchange)});
    } else if (origin != nullptr) {
      vm.host().errors().note({text, route_of(vm, *origin), host, sample_of(origin->method, origin->target)});
    } else {
      vm.host().errors().note({text, "", host, ""});
    }
  } catch (const std::bad_alloc&) {
    return;  // the desk can do without
  }
}

}  // namespace perigee::script
