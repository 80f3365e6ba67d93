#include "client/http_answer.h"

#include <algorithm>
#include <utility>

namespace perigee::client {
namespace {

using State = http::ResponseReader::State;

constexpr std::uint64_t kMostDecoded = 64 << 20;  // bytes that one feeding may become; 16 KiB of gzip come to 17 MiB

}  // namespace

void HttpAnswer::begin(std::string_view method, bool decodes, std::uint64_t most) {
  reader_.begin(method);
  decoder_.reset();
  body_.clear();
  error_.clear();
  most_ = most;
  received_ = 0;
  decodes_ = decodes && method != "HEAD";
  has_head_ = exceeded_ = false;
}

HttpAnswer::Outcome HttpAnswer::fail(std::string error) {
  error_ = std::move(error);
  return Outcome::kFailed;
}

HttpAnswer::Outcome HttpAnswer::feed(std::string_view bytes) {
  std::string coded;
  const std::size_t before = body_.size();
  exceeded_ = reader_.feed(bytes, decoder_ != nullptr ? coded : body_) != bytes.size();
  const State state = reader_.state();
  if (state == State::kRefused) {
    return fail(std::string("refused: the answer is malformed: ") + reader_.reason());
  }
  if (state == State::kHead) {
    return Outcome::kMore;
  }
  if (!has_head_) {
    if (!take_head()) {
      return Outcome::kFailed;
    }
    if (decoder_ != nullptr) {
      coded.swap(body_);  // it came with the head, and was no body yet
    }
  }
  if (decoder_ != nullptr && !decode(coded)) {
    return Outcome::kFailed;
  }
  received_ += body_.size() - before;
  if (most_ != 0 && received_ > most_) {
    return fail("too_large: the answer has more than " + std::to_string(most_) + " bytes");
  }
  return state == State::kDone ? ended() : Outcome::kMore;
}

// Finds out from the head what is to be done with the body.
bool HttpAnswer::take_head() {
  if (decodes_) {
    decoder_ = ContentDecoder::make(reader_.field("content-encoding"));
  }
  if (decoder_ == nullptr && most_ != 0 && reader_.length() > static_cast<std::int64_t>(most_)) {
    fail("too_large: the answer has " + std::to_string(reader_.length()) + " bytes");
    return false;
  }
  has_head_ = true;
  return true;
}

// Adds bytes as they came to the body, decoded.
bool HttpAnswer::decode(std::string_view coded) {
  const std::uint64_t limit = most_ != 0 ? most_ : received_ + kMostDecoded;
  const std::size_t most = body_.size() + limit - received_;
  switch (decoder_->feed(coded, body_, most)) {
    case ContentDecoder::Outcome::kTaken:
      return true;
    case ContentDecoder::Outcome::kFull:
      body_.resize(std::min(body_.size(), most));  // a byte more told that there is more
      fail("too_large: the answer, decoded, has more than " + std::to_string(limit) + " bytes");
      return false;
    case ContentDecoder::Outcome::kMalformed:
      break;
  }
  fail("refused: the answer's content coding is malformed");
  return false;
}

HttpAnswer::Outcome HttpAnswer::end() {
  reader_.end();
  return reader_.state() == State::kDone ? ended() : fail("closed: the answer ended too early");
}

// The framing says that nothing more comes; a coding has an end of its own.
HttpAnswer::Outcome HttpAnswer::ended() {
  if (decoder_ != nullptr && received_ != 0 && !decoder_->ended()) {
    return fail("closed: the answer's content coding ended too early");
  }
  return Outcome::kWhole;
}

}  // namespace perigee::client
