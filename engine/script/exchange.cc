#include "script/exchange.h"

namespace perigee::script {
namespace {

constexpr std::size_t kKeptCapacity = 64 * 1024;  // of a body's string between requests

}  // namespace

void Exchange::reset() {
  scanner.reset();
  if (body.capacity() > kKeptCapacity) {
    body = std::string();
  }
  body.clear();
  answer.reset();
  answer.cookies.clear();
  parameters.count = 0;
  task = nullptr;
  bytes_sent = 0;
  owned_ = false;
}

void Exchange::publish() {
  view.method = static_cast<std::int32_t>(head.method);
  view.minor_version = head.minor_version;
  view.route = -1;
  view.method_text = Slice::of(head.text(head.method_text));
  view.target = Slice::of(head.text(head.target));
  view.path = Slice::of(head.path());
  view.query = Slice::of(head.text(head.query));
  view.host = Slice::of(head.text(head.host));
  view.body = Slice::of(body);
  view.id = id;
}

void Exchange::own_head() {
  if (owned_) {
    return;
  }
  owned_ = true;
  head_bytes_.assign(head.base, head.size);
  const auto moved = [this](Slice& slice) {
    if (slice.data >= head.base && slice.data <= head.base + head.size) {
      slice.data = head_bytes_.data() + (slice.data - head.base);
    }
  };
  for (Slice* slice : {&view.method_text, &view.target, &view.path, &view.query, &view.host}) {
    moved(*slice);
  }
  for (std::uint32_t i = 0; i < parameters.count; ++i) {
    moved(parameters.values[i].text);
  }
  head.base = head_bytes_.data();
}

}  // namespace perigee::script
