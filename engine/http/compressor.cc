#include "http/compressor.h"

#include <brotli/encode.h>
#include <zlib.h>

#include <algorithm>
#include <bit>
#include <cassert>
#include <new>

namespace perigee::http {
namespace {

constexpr std::size_t kStep = 16 * 1024;  // bytes by which output grows
constexpr int kGzipMark = 16;             // added to zlib's window bits: a gzip header and trailer
constexpr int kBrotliWindow = 18;         // of bodies of unknown size: 256 KiB

// Bits of a window that a whole body fits in.
int window_bits(std::size_t size, int least, int most) {
  return std::clamp(static_cast<int>(std::bit_width(size)), least, most);
}

}  // namespace

struct Compressor::Stream {
  virtual ~Stream() = default;
  virtual void write(std::string_view bytes, Reach reach, std::string& out) = 0;
};

struct Compressor::Gzip final : Stream {
  Gzip(int level, std::optional<std::size_t> size) {
    const int bits = window_bits(size.value_or(std::size_t{1} << MAX_WBITS), 9, MAX_WBITS);
    const int memory = std::clamp(bits - 7, 1, 8);
    if (deflateInit2(&zlib, level, Z_DEFLATED, bits + kGzipMark, memory, Z_DEFAULT_STRATEGY) != Z_OK) {
      throw std::bad_alloc();
    }
  }
  ~Gzip() override { deflateEnd(&zlib); }
  Gzip(const Gzip&) = delete;
  Gzip& operator=(const Gzip&) = delete;

  void write(std::string_view bytes, Reach reach, std::string& out) override {
    constexpr std::size_t kMost = std::size_t{1} << 30;  // zlib counts with 32 bits
    for (; bytes.size() > kMost; bytes.remove_prefix(kMost)) {
      deflate_all(bytes.substr(0, kMost), Z_NO_FLUSH, out);
    }
    deflate_all(bytes, reach == Reach::kEnd ? Z_FINISH : Z_SYNC_FLUSH, out);
  }

  void deflate_all(std::string_view bytes, int flush, std::string& out) {
    zlib.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));  // zlib only reads it
    zlib.avail_in = static_cast<uInt>(bytes.size());
    do {
      const std::size_t before = out.size();
      out.resize(before + kStep);
      zlib.next_out = reinterpret_cast<Bytef*>(out.data() + before);
      zlib.avail_out = kStep;
      (void)deflate(&zlib, flush);  // what is left over says how it went
      out.resize(before + kStep - zlib.avail_out);
    } while (zlib.avail_out == 0);
  }

  z_stream zlib{};
};

struct Compressor::Brotli final : Stream {
  Brotli(int level, std::optional<std::size_t> size) : encoder(BrotliEncoderCreateInstance(nullptr, nullptr, nullptr)) {
    if (encoder == nullptr) {
      throw std::bad_alloc();
    }
    const int bits = size ? window_bits(*size, BROTLI_MIN_WINDOW_BITS, BROTLI_DEFAULT_WINDOW) : kBrotliWindow;
    BrotliEncoderSetParameter(encoder.get(), BROTLI_PARAM_QUALITY, static_cast<std::uint32_t>(level));
    BrotliEncoderSetParameter(encoder.get(), BROTLI_PARAM_LGWIN, static_cast<std::uint32_t>(bits));
    if (size) {
      const std::size_t hint = std::min(*size, std::size_t{1} << 30);
      BrotliEncoderSetParameter(encoder.get(), BROTLI_PARAM_SIZE_HINT, static_cast<std::uint32_t>(hint));
    }
  }

  void write(std::string_view bytes, Reach reach, std::string& out) override {
    const auto operation = reach == Reach::kEnd ? BROTLI_OPERATION_FINISH : BROTLI_OPERATION_FLUSH;
    const auto* input = reinterpret_cast<const std::uint8_t*>(bytes.data());
    std::size_t left = bytes.size();
    std::size_t size = 0;
    do {
      std::size_t room = 0;  // it keeps its output, and gives it out below
      std::uint8_t* nowhere = nullptr;
      if (BrotliEncoderCompressStream(encoder.get(), operation, &left, &input, &room, &nowhere, nullptr) !=
          BROTLI_TRUE) {
        throw std::bad_alloc();  // nothing else fails it
      }
      size = 0;  // as much as there is
      const std::uint8_t* output = BrotliEncoderTakeOutput(encoder.get(), &size);
      out.append(reinterpret_cast<const char*>(output), size);
    } while (left > 0 || size > 0);
  }

  struct Destroy {
    void operator()(BrotliEncoderState* state) const { BrotliEncoderDestroyInstance(state); }
  };
  std::unique_ptr<BrotliEncoderState, Destroy> encoder;
};

Compressor::Compressor(Coding coding, int level, std::optional<std::size_t> size) {
  switch (coding) {
    case Coding::kGzip:
      assert(level >= 1 && level <= kMostGzip);
      stream_ = std::make_unique<Gzip>(level, size);
      break;
    case Coding::kBrotli:
      assert(level >= 0 && level <= kMostBrotli);
      stream_ = std::make_unique<Brotli>(level, size);
      break;
  }
}

Compressor::~Compressor() = default;

void Compressor::write(std::string_view bytes, Reach reach, std::string& out) {
  assert(!ended());
  stream_->write(bytes, reach, out);
  if (reach == Reach::kEnd) {
    stream_.reset();
  }
}

}  // namespace perigee::http
