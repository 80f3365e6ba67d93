#include "server/occasional_note.h"

namespace perigee::server {

void OccasionalNote::write(LogLevel level, std::string_view message, Milliseconds now) {
  if (now < next_) {
    ++left_out_;
    return;
  }
  std::string text(message);
  if (left_out_ > 0) {
    text += " (and " + std::to_string(left_out_) + " more like it before)";
  }
  log_event(level, text);
  next_ = now + kPause;
  left_out_ = 0;
}

}  // namespace perigee::server
