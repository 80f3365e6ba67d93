#include "script/http_asks.h"

#include <utility>

#include "script/task.h"

namespace perigee::script {

client::HttpCall& HttpAsks::take(Task& task, client::Network& network) {
  leave(task);
  if (spare_.empty()) {
    task.ask = std::make_unique<client::HttpCall>(network);
  } else {
    task.ask = std::move(spare_.back());
    spare_.pop_back();
  }
  return *task.ask;
}

void HttpAsks::leave(Task& task) {
  if (task.ask == nullptr) {
    return;
  }
  task.ask->close();
  std::unique_ptr<client::HttpCall> left = std::move(task.ask);
  if (spare_.size() < kSpare && left->room() <= kSpareBytes) {
    spare_.push_back(std::move(left));
  }
}

}  // namespace perigee::script
