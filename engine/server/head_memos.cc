#include "server/head_memos.h"

#include <new>

namespace perigee::server {

http::HeadMemo* HeadMemos::take(Place& place, const void* connection) noexcept {
  if (place.memo == nullptr) {
    place.memo.reset(new (std::nothrow) http::HeadMemo);
    if (place.memo == nullptr) {
      return nullptr;
    }
  } else if (!place.memo->yields()) {
    return nullptr;
  }
  place.memo->forget();
  place.owner = connection;
  return place.memo.get();
}

}  // namespace perigee::server
