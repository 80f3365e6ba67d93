#include "http/compressor.h"

#include <zlib.h>

#include <brotli/decode.h>

#include <catch2/catch.hpp>
#include <string>
#include <vector>

using perigee::http::Coding;
using perigee::http::Compressor;
using Reach = Compressor::Reach;

namespace {

// What can be read of gzip's output so far; "(broken)" where it is none.
std::string gunzip(const std::string& bytes) {
  z_stream stream{};
  REQUIRE(inflateInit2(&stream, 16 + MAX_WBITS) == Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::string out;
  int verdict = Z_OK;
  do {
    std::string part(65536, '\0');
    stream.next_out = reinterpret_cast<Bytef*>(part.data());
    stream.avail_out = static_cast<uInt>(part.size());
    verdict = inflate(&stream, Z_SYNC_FLUSH);
    out.append(part, 0, part.size() - stream.avail_out);
  } while (verdict == Z_OK && stream.avail_out == 0);
  inflateEnd(&stream);
  return verdict == Z_OK || verdict == Z_STREAM_END || verdict == Z_BUF_ERROR ? out : "(broken)";
}

std::string unbrotli(const std::string& bytes) {
  BrotliDecoderState* state = BrotliDecoderCreateInstance(nullptr, nullptr, nullptr);
  const auto* input = reinterpret_cast<const std::uint8_t*>(bytes.data());
  std::size_t left = bytes.size();
  std::string out;
  BrotliDecoderResult verdict = BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT;
  while (verdict == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT || BrotliDecoderHasMoreOutput(state) == BROTLI_TRUE) {
    std::string part(65536, '\0');
    auto* output = reinterpret_cast<std::uint8_t*>(part.data());
    std::size_t room = part.size();
    verdict = BrotliDecoderDecompressStream(state, &left, &input, &room, &output, nullptr);
    out.append(part, 0, part.size() - room);
  }
  BrotliDecoderDestroyInstance(state);
  return verdict == BROTLI_DECODER_RESULT_ERROR ? "(broken)" : out;
}

std::string decoded(Coding coding, const std::string& bytes) {
  return coding == Coding::kGzip ? gunzip(bytes) : unbrotli(bytes);
}

std::string some_text(std::size_t size) {
  std::string text;
  for (unsigned i = 0, random = 7; text.size() < size; ++i) {
    random = random * 1103515245 + 12345;
    text += i % 3 == 0 ? std::to_string(random >> 8) : "the moon at perigee ";
  }
  text.resize(size);
  return text;
}

const std::vector<std::pair<Coding, int>> kLevels = {{Coding::kGzip, 1},   {Coding::kGzip, 5},   {Coding::kGzip, 9},
                                                     {Coding::kBrotli, 0}, {Coding::kBrotli, 4}, {Coding::kBrotli, 11}};

}  // namespace

TEST_CASE("compressor: what goes in comes out, of any size and at every level") {
  for (const auto& [coding, level] : kLevels) {
    for (const std::size_t size : {0, 1, 100, 511, 512, 16'384, 70'000, 1'000'000}) {
      const std::string text = some_text(size);
      std::string out = "before";
      Compressor compressor(coding, level, size);
      compressor.write(text, Reach::kEnd, out);
      CAPTURE(level, size);
      CHECK(compressor.ended());
      REQUIRE(out.starts_with("before"));
      CHECK(decoded(coding, out.substr(6)) == text);
      CHECK((size < 10'000 || out.size() < size));
    }
  }
}

TEST_CASE("compressor: after a flush everything that was written can be read") {
  for (const auto& [coding, level] : kLevels) {
    Compressor compressor(coding, level);
    std::string out;
    std::string text;
    for (const std::size_t size : {10, 0, 1, 40'000, 300'000, 5}) {
      const std::string part = some_text(size);
      compressor.write(part, Reach::kFlush, out);
      text += part;
      CAPTURE(level, size, out.size());
      CHECK((decoded(coding, out) == text));
    }
    compressor.write("", Reach::kEnd, out);
    CHECK((decoded(coding, out) == text));
  }
}

TEST_CASE("compressor: bytes that can't be made smaller grow by little") {
  std::string noise;
  for (unsigned i = 0, random = 1; i < 100'000; ++i) {
    random = random * 1664525 + 1013904223;
    noise.push_back(static_cast<char>(random >> 24));
  }
  for (const auto& [coding, level] : kLevels) {
    std::string out;
    Compressor(coding, level, noise.size()).write(noise, Reach::kEnd, out);
    CHECK(out.size() < noise.size() + 200);
    CHECK(decoded(coding, out) == noise);
  }
}
