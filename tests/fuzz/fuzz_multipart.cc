// MultipartParser against itself, cut otherwise. The first byte of the input says how long the boundary is and how many
// parts there may be.

#include <string>
#include <vector>

#include "fuzz_check.h"
#include "http/multipart.h"

using perigee::http::MultipartParser;
using perigee::http::MultipartPart;
using State = MultipartParser::State;

namespace {

/// What a parser found, as one text; parts are counted.
class Findings final : public perigee::http::MultipartSink {
 public:
  bool begin_part(MultipartPart part) override {
    perigee::fuzz::check(!open_, "a part begins where none is open");
    const std::string filename = part.filename.value_or("none");
    perigee::fuzz::check(filename.find_first_of(std::string_view("/\\\0", 3)) == std::string::npos,
                         "a file's name is no path");
    perigee::fuzz::check(filename != "." && filename != "..", "nor a folder");
    text += "<" + part.name + "|" + filename + "|" + part.type + ">";
    open_ = true;
    ++parts;
    return true;
  }
  bool part_bytes(std::string_view bytes) override {
    perigee::fuzz::check(open_ && !bytes.empty(), "bytes belong to a part");
    text += bytes;
    content += bytes.size();
    return true;
  }
  bool end_part() override {
    perigee::fuzz::check(open_, "a part ends that has begun");
    open_ = false;
    text += "</>";
    return true;
  }

  std::string text;
  std::size_t parts = 0;
  std::size_t content = 0;
  State state = State::kReading;
  std::string reason;

 private:
  bool open_ = false;
};

Findings parse(std::string_view body, std::string_view boundary, std::size_t most, std::size_t step) {
  Findings found;
  MultipartParser parser(boundary, most, found);
  for (std::size_t at = 0; at < body.size(); at += step) {
    const perigee::fuzz::ExactCopy copy(body.substr(at, step));
    parser.feed(copy.view());
  }
  found.state = parser.finish();
  found.reason = parser.reason();
  return found;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const std::string boundary = std::string("AaB03x-AaB03x").substr(0, 1 + data[0] % 13U);
  const std::size_t most = data[0] < 200 ? 1000 : data[0] - 200;
  const std::string_view body = perigee::fuzz::text_of(data + 1, size - 1);
  const Findings whole = parse(body, boundary, most, body.size() + 1);
  perigee::fuzz::check(whole.state != State::kReading && whole.state != State::kStopped, "the end is a verdict");
  perigee::fuzz::check(whole.parts <= most && whole.content <= body.size(), "no more is found than there is");
  for (const std::size_t step : {std::size_t{1}, std::size_t{2}, std::size_t{7}, std::size_t{31}}) {
    const Findings cut = parse(body, boundary, most, step);
    perigee::fuzz::check(cut.state == whole.state && cut.reason == whole.reason && cut.parts == whole.parts,
                         "the verdict does not depend on the cuts");
    perigee::fuzz::check(cut.text == whole.text, "nor does what was found");
  }
  return 0;
}
