#include "client/content_decoder.h"

#include <brotli/decode.h>
#include <zlib.h>

#include <algorithm>
#include <new>

#include "http/field_syntax.h"

namespace perigee::client {
namespace {

constexpr std::size_t kPiece = 32 * 1024;

class GzipDecoder final : public ContentDecoder {
 public:
  GzipDecoder() {
    constexpr int kGzipOnly = 16;
    if (inflateInit2(&stream_, MAX_WBITS + kGzipOnly) != Z_OK) {
      throw std::bad_alloc();
    }
  }
  ~GzipDecoder() override { inflateEnd(&stream_); }
  GzipDecoder(const GzipDecoder&) = delete;
  GzipDecoder& operator=(const GzipDecoder&) = delete;

  Outcome feed(std::string_view bytes, std::string& out, std::size_t most) override {
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream_.avail_in = static_cast<uInt>(bytes.size());
    for (;;) {
      if (ended_) {  // a file of gzip may be several, one behind the other
        if (stream_.avail_in == 0) {
          return Outcome::kTaken;
        }
        inflateReset(&stream_);
        ended_ = false;
      }
      const std::size_t before = out.size();
      const std::size_t room = std::min(kPiece, most - std::min(most, before) + 1);
      out.resize(before + room);
      stream_.next_out = reinterpret_cast<Bytef*>(out.data() + before);
      stream_.avail_out = static_cast<uInt>(room);
      const int result = inflate(&stream_, Z_NO_FLUSH);
      out.resize(before + room - stream_.avail_out);
      ended_ = result == Z_STREAM_END;
      if (out.size() > most) {
        return Outcome::kFull;
      }
      if (result == Z_BUF_ERROR || (result == Z_OK && stream_.avail_in == 0 && stream_.avail_out != 0)) {
        return Outcome::kTaken;
      }
      if (result != Z_OK && result != Z_STREAM_END) {
        return Outcome::kMalformed;
      }
    }
  }
  bool ended() const override { return ended_; }

 private:
  z_stream stream_{};
  bool ended_ = false;
};

class BrotliDecoder final : public ContentDecoder {
 public:
  BrotliDecoder() : state_(BrotliDecoderCreateInstance(nullptr, nullptr, nullptr)) {
    if (state_ == nullptr) {
      throw std::bad_alloc();
    }
  }
  ~BrotliDecoder() override { BrotliDecoderDestroyInstance(state_); }
  BrotliDecoder(const BrotliDecoder&) = delete;
  BrotliDecoder& operator=(const BrotliDecoder&) = delete;

  Outcome feed(std::string_view bytes, std::string& out, std::size_t most) override {
    const auto* in = reinterpret_cast<const std::uint8_t*>(bytes.data());
    std::size_t in_left = bytes.size();
    for (;;) {
      const std::size_t before = out.size();
      std::size_t room = std::min(kPiece, most - std::min(most, before) + 1);
      out.resize(before + room);
      auto* to = reinterpret_cast<std::uint8_t*>(out.data() + before);
      const std::size_t given = room;
      const BrotliDecoderResult result = BrotliDecoderDecompressStream(state_, &in_left, &in, &room, &to, nullptr);
      out.resize(before + given - room);
      if (out.size() > most) {
        return Outcome::kFull;
      }
      switch (result) {
        case BROTLI_DECODER_RESULT_SUCCESS:
          return in_left == 0 ? Outcome::kTaken : Outcome::kMalformed;
        case BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT:
          return Outcome::kTaken;
        case BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT:
          break;
        case BROTLI_DECODER_RESULT_ERROR:
          return Outcome::kMalformed;
      }
    }
  }
  bool ended() const override { return BrotliDecoderIsFinished(state_) != 0; }

 private:
  BrotliDecoderState* state_;
};

}  // namespace

std::unique_ptr<ContentDecoder> ContentDecoder::make(std::string_view coding) {
  if (http::equal_fold(coding, "gzip") || http::equal_fold(coding, "x-gzip")) {
    return std::make_unique<GzipDecoder>();
  }
  if (http::equal_fold(coding, "br")) {
    return std::make_unique<BrotliDecoder>();
  }
  return nullptr;
}

}  // namespace perigee::client
