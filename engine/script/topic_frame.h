#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "state/topic_message.h"

namespace perigee::script {

/// What is published, before it is framed.
struct TopicDraft {
  std::string_view data;
  std::string_view event = {};              ///< its type; "" for none
  std::optional<std::string_view> id = {};  ///< none: its stamp will be
  std::int64_t retry = -1;                  ///< milliseconds; below 0: none
  bool json = false;                        ///< whether the data is JSON
};

/// The message as an event of an event stream, in a chunk of its own: made once, however many are sent it.
/// REQUIRES: http::is_sse_field() of type and id; less than 4 GiB in all.
[[nodiscard]] std::shared_ptr<state::TopicMessage> frame_message(const TopicDraft& draft);

}  // namespace perigee::script
