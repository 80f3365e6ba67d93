#include "http/body_framer.h"

#include <http_parser.h>

#include <algorithm>
#include <initializer_list>

#include "http/chunk_walker.h"

namespace perigee::http {

/// http-parser, and what it has said so far.
struct BodyFramer::Parser {
  http_parser state;
  Sink sink;
  void* context;
  ChunkWalker chunks;
  std::uint64_t body;  ///< bytes that http-parser took for the body
  bool complete;
  bool stopped;  ///< the sink wants no more

  void begin(Sink to, void* with);
  [[nodiscard]] bool read(std::string_view bytes);
  [[nodiscard]] bool read_head(const RequestHead& head);
  [[nodiscard]] bool read_fields(const RequestHead& head, KnownField slot, std::string_view name);
  [[nodiscard]] bool agrees_on_chunks() const;

  static int on_body(http_parser* parser, const char* at, std::size_t size);
  static int on_message_complete(http_parser* parser);
  static const http_parser_settings& callbacks();
};

const http_parser_settings& BodyFramer::Parser::callbacks() {
  static const http_parser_settings settings = [] {
    http_parser_settings made;
    http_parser_settings_init(&made);
    made.on_body = on_body;
    made.on_message_complete = on_message_complete;
    return made;
  }();
  return settings;
}

int BodyFramer::Parser::on_body(http_parser* parser, const char* at, std::size_t size) {
  auto& self = *static_cast<Parser*>(parser->data);
  self.body += size;
  self.stopped = !self.sink(self.context, {at, size});
  return self.stopped ? 1 : 0;
}

int BodyFramer::Parser::on_message_complete(http_parser* parser) {
  static_cast<Parser*>(parser->data)->complete = true;
  return 0;
}

void BodyFramer::Parser::begin(Sink to, void* with) {
  http_parser_init(&state, HTTP_REQUEST);
  state.data = this;
  sink = to;
  context = with;
  chunks = ChunkWalker();
  body = 0;
  complete = false;
  stopped = false;
}

/// Whether http-parser took all of `bytes`.
bool BodyFramer::Parser::read(std::string_view bytes) {
  return http_parser_execute(&state, &callbacks(), bytes.data(), bytes.size()) == bytes.size() &&
         HTTP_PARSER_ERRNO(&state) == HPE_OK;
}

/// Feeds every field of the slot as it was received, under its plain name.
bool BodyFramer::Parser::read_fields(const RequestHead& head, KnownField slot, std::string_view name) {
  if (!head.field_seen(slot)) {
    return true;
  }
  bool good = true;
  for (std::uint16_t index = head.known[static_cast<std::size_t>(slot)]; index != RequestHead::kAbsent;
       index = head.find(name, static_cast<std::uint16_t>(index + 1))) {
    for (const std::string_view piece :
         {name, std::string_view(": "), head.text(head.fields[index].value), std::string_view("\r\n")}) {
      good = good && (piece.empty() || read(piece));
    }
  }
  return good;
}

/// Feeds a head that says of the framing what `head` does. Its method is one that http-parser knows, whatever the
/// request's: that does not bear on the body.
bool BodyFramer::Parser::read_head(const RequestHead& head) {
  return read(head.minor_version == 0 ? "POST / HTTP/1.0\r\n" : "POST / HTTP/1.1\r\n") &&
         read_fields(head, KnownField::kTransferEncoding, "Transfer-Encoding") && read("\r\n");
}

bool BodyFramer::Parser::agrees_on_chunks() const {
  return (state.flags & F_CHUNKED) != 0 && !complete;
}

BodyFramer::BodyFramer() = default;
BodyFramer::~BodyFramer() = default;

BodyFramer::State BodyFramer::begin(const RequestHead& head, Sink sink, void* context) {
  if (!head.chunked) {
    return begin_counted(static_cast<std::uint64_t>(head.content_length), sink, context);
  }
  begin_chunked(sink, context);
  if (!parser_->read_head(head) || !parser_->agrees_on_chunks()) {
    refuse("the body's framing can be read two ways");
  }
  return state_;
}

BodyFramer::State BodyFramer::begin(std::optional<std::uint64_t> length, Sink sink, void* context) {
  if (length) {
    return begin_counted(*length, sink, context);
  }
  begin_chunked(sink, context);
  // Chunks are the same in a request and an answer.
  if (!parser_->read("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n") || !parser_->agrees_on_chunks()) {
    refuse("the body's framing can be read two ways");
  }
  return state_;
}

BodyFramer::State BodyFramer::begin_counted(std::uint64_t length, Sink sink, void* context) {
  state_ = State::kReading;
  reason_ = "";
  chunked_ = false;
  sink_ = sink;
  context_ = context;
  left_ = length;
  return state_;
}

void BodyFramer::begin_chunked(Sink sink, void* context) {
  state_ = State::kReading;
  reason_ = "";
  chunked_ = true;
  if (!parser_) {
    parser_ = std::make_unique<Parser>();
  }
  parser_->begin(sink, context);
}

std::size_t BodyFramer::feed(std::string_view bytes) {
  if (state_ != State::kReading || bytes.empty()) {
    return 0;
  }
  if (!chunked_) {
    return feed_counted(bytes);
  }
  const std::size_t size = parser_->chunks.walk(bytes);
  const bool read = size == 0 || parser_->read(bytes.substr(0, size));
  settle(read);
  return size;
}

std::size_t BodyFramer::feed_counted(std::string_view bytes) {
  const std::size_t size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
  left_ -= size;
  if (!sink_(context_, bytes.substr(0, size))) {
    state_ = State::kTooLarge;
    reason_ = "the body is too large";
  } else if (left_ == 0) {
    state_ = State::kDone;
  }
  return size;
}

std::optional<std::uint64_t> BodyFramer::rest() const {
  return chunked_ ? std::nullopt : std::optional<std::uint64_t>(left_);
}

/// Draws the conclusion from what both readers of a chunked body have said.
void BodyFramer::settle(bool read) {
  const ChunkWalker::State walked = parser_->chunks.state();
  const bool done = walked == ChunkWalker::State::kDone;
  if (parser_->stopped) {
    state_ = State::kTooLarge;
    reason_ = "the body is too large";
  } else if (!read || parser_->complete != done || parser_->body != parser_->chunks.data_size()) {
    refuse("the body's framing can be read two ways");
  } else if (walked == ChunkWalker::State::kRefused) {
    refuse(parser_->chunks.reason());
  } else if (done) {
    state_ = State::kDone;
  }
}

void BodyFramer::refuse(const char* reason) {
  state_ = State::kRefused;
  reason_ = reason;
}

}  // namespace perigee::http
