#include "script/request_session.h"

#include <utility>

#include "base/clock.h"

namespace perigee::script {

void RequestSession::look(state::SessionStore& store, std::string_view token, Milliseconds now) {
  end();
  store_ = &store;
  if (!token.empty()) {
    auto [session, data] = store.find(token, now);
    session_ = std::move(session);
    data_ = std::move(data);
  }
}

void RequestSession::take(state::SessionRef session, state::SessionData data) {
  session_ = std::move(session);
  data_ = std::move(data);
}

void RequestSession::drop() {
  if (watch_ != 0) {
    store_->unwatch(session_, std::exchange(watch_, 0), monotonic_coarse_ms());
  }
  session_.reset();
  data_.reset();
}

void RequestSession::watch(Executor& executor, std::function<void()> ended) {
  if (watch_ == 0) {
    watch_ = store_->watch(session_, executor, std::move(ended));
  }
}

void RequestSession::end() {
  if (store_ != nullptr) {
    drop();
    store_ = nullptr;
  }
}

}  // namespace perigee::script
