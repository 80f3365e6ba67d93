#include "profiler/pprof.h"

#include <zlib.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <protozero/pbf_reader.hpp>

#include "sample_profile.h"

using namespace perigee::profiler;

namespace {

std::string unpacked(const std::string& bytes) {
  z_stream stream{};
  REQUIRE(inflateInit2(&stream, 15 + 16) == Z_OK);
  std::string out(1 << 20, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(inflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return out;
}

// The message's fields of one number, in their order.
std::vector<std::string> messages(const std::string& bytes, protozero::pbf_tag_type tag) {
  std::vector<std::string> found;
  protozero::pbf_reader reader(bytes);
  while (reader.next(tag)) {
    const auto view = reader.get_view();
    found.emplace_back(view.data(), view.size());
  }
  return found;
}

std::map<int, std::int64_t> numbers(const std::string& bytes) {
  std::map<int, std::int64_t> found;
  protozero::pbf_reader reader(bytes);
  while (reader.next()) {
    if (reader.wire_type() == protozero::pbf_wire_type::varint) {
      const int tag = static_cast<int>(reader.tag());
      found[tag] = reader.get_int64();
    } else {
      reader.skip();
    }
  }
  return found;
}

}  // namespace

TEST_CASE("pprof: types, samples, locations and functions are written by their numbers") {
  const std::string bytes = unpacked(write_pprof(sample_profile()).value());
  const std::vector<std::string> strings = messages(bytes, 6);
  REQUIRE(strings[0].empty());
  const auto text = [&](std::int64_t id) { return strings.at(static_cast<std::size_t>(id)); };

  const std::vector<std::string> types = messages(bytes, 1);
  REQUIRE(types.size() == 2);
  CHECK(text(numbers(types[1])[1]) == "cpu");
  CHECK(text(numbers(types[1])[2]) == "nanoseconds");
  CHECK(messages(bytes, 2).size() == 3);
  CHECK(messages(bytes, 4).size() == 4);

  std::map<std::string, std::int64_t> functions;
  for (const std::string& function : messages(bytes, 5)) {
    functions[text(numbers(function)[2])] = numbers(function)[5];
  }
  CHECK(functions ==
        std::map<std::string, std::int64_t>{{"Worker::serve", 0}, {"handler", 2}, {"[garbage collection]", 0}});

  auto facts = numbers(bytes);
  CHECK(facts[9] == 1'700'000'000'000'000'000);
  CHECK(facts[10] == 1'000'000'000);
  CHECK(facts[12] == 10'000'000);
}

TEST_CASE("pprof: a sample names its locations from the innermost, its values and its labels") {
  const std::string bytes = unpacked(write_pprof(sample_profile()).value());
  const std::vector<std::string> strings = messages(bytes, 6);
  const std::string sample = messages(bytes, 2)[2];
  protozero::pbf_reader reader(sample);
  std::vector<std::uint64_t> locations;
  std::vector<std::int64_t> values;
  std::vector<std::string> labels;
  while (reader.next()) {
    if (reader.tag() == 1) {
      for (const std::uint64_t id : reader.get_packed_uint64()) {
        locations.push_back(id);
      }
    } else if (reader.tag() == 2) {
      for (const std::int64_t value : reader.get_packed_int64()) {
        values.push_back(value);
      }
    } else {
      const auto view = reader.get_view();
      auto label = numbers({view.data(), view.size()});
      labels.push_back(strings[static_cast<std::size_t>(label[1])] + "=" + strings[static_cast<std::size_t>(label[2])]);
    }
  }
  CHECK(locations == std::vector<std::uint64_t>{4, 3, 1});
  CHECK(values == std::vector<std::int64_t>{1, 10'000'000});
  CHECK(labels == std::vector<std::string>{"worker=worker-2", "route=GET /"});
}

TEST_CASE("pprof: all of it belongs to one program that needs no symbols") {
  const std::string bytes = unpacked(write_pprof(sample_profile()).value());
  const std::vector<std::string> mappings = messages(bytes, 3);
  REQUIRE(mappings.size() == 1);
  auto mapping = numbers(mappings[0]);
  CHECK(mapping[1] == 1);
  CHECK(messages(bytes, 6)[static_cast<std::size_t>(mapping[5])] == "perigee");
  for (const int known : {7, 8, 9, 10}) {
    CHECK(mapping[known] == 1);
  }
  for (const std::string& location : messages(bytes, 4)) {
    CHECK(numbers(location)[2] == 1);
  }
}

TEST_CASE("pprof: no name in it drives a terminal, and every one is UTF-8") {
  Profile profile(counts());
  const std::uint32_t frame = profile.frame({"f\x1b[2J", "a\xff.lua", 1, 1, FrameKind::kLua});
  profile.add(std::vector<std::uint32_t>{frame}, profile.labels({{"route", "GET /\n\xc3"}}),
              std::vector<std::int64_t>{1});
  const std::vector<std::string> strings = messages(unpacked(write_pprof(profile).value()), 6);
  for (const char* const expected : {"f?[2J", "a?.lua", "GET /??"}) {
    CHECK(std::find(strings.begin(), strings.end(), expected) != strings.end());
  }
}
