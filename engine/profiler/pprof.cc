#include "profiler/pprof.h"

#include <zlib.h>

#include <protozero/pbf_writer.hpp>
#include <unordered_map>
#include <utility>
#include <vector>

#include "profiler/shown_text.h"

namespace perigee::profiler {

namespace {

// Field numbers of profile.proto.
namespace field {
constexpr int kSampleType = 1, kSample = 2, kMapping = 3, kLocation = 4, kFunction = 5, kStringTable = 6,
              kTimeNanos = 9, kDurationNanos = 10, kPeriodType = 11, kPeriod = 12, kComment = 13,
              kDefaultSampleType = 14;
constexpr int kTypeName = 1, kTypeUnit = 2;
constexpr int kSampleLocations = 1, kSampleValues = 2, kSampleLabels = 3;
constexpr int kLabelKey = 1, kLabelText = 2;
constexpr int kMappingId = 1, kMappingFile = 5, kMappingFunctions = 7, kMappingFiles = 8, kMappingLines = 9,
              kMappingInlined = 10;
constexpr int kLocationId = 1, kLocationMapping = 2, kLocationLine = 4;
constexpr int kLineFunction = 1, kLineNumber = 2;
constexpr int kFunctionId = 1, kFunctionName = 2, kFunctionSystemName = 3, kFunctionFile = 4, kFunctionFirstLine = 5;
}  // namespace field

// Every text is written once and named by its place in the table, whose first is empty.
class StringTable {
 public:
  StringTable() { id(""); }

  // Who reads it prints it.
  std::int64_t id(const std::string& text) {
    const auto [found, added] = ids_.try_emplace(text, static_cast<std::int64_t>(texts_.size()));
    if (added) {
      texts_.push_back(shown_text(text));
    }
    return found->second;
  }

  [[nodiscard]] const std::vector<std::string>& texts() const { return texts_; }

 private:
  std::unordered_map<std::string, std::int64_t> ids_;
  std::vector<std::string> texts_;
};

class Writer {
 public:
  explicit Writer(const Profile& profile) : profile_(profile) {}

  std::string write() {
    for (const ValueType& type : profile_.types()) {
      write_type(field::kSampleType, type);
    }
    for (const Sample& sample : profile_.samples()) {
      write_sample(sample);
    }
    write_mapping();
    write_frames();
    write_facts();
    for (const std::string& text : strings_.texts()) {
      out_.add_string(field::kStringTable, text);
    }
    return std::move(bytes_);
  }

 private:
  void write_type(int tag, const ValueType& type) {
    protozero::pbf_writer message(out_, tag);
    message.add_int64(field::kTypeName, strings_.id(type.name));
    message.add_int64(field::kTypeUnit, strings_.id(type.unit));
  }

  void write_sample(const Sample& sample) {
    protozero::pbf_writer message(out_, field::kSample);
    std::vector<std::uint64_t> locations;
    locations.reserve(sample.stack.size());
    for (const std::uint32_t frame : sample.stack) {
      locations.push_back(frame + std::uint64_t{1});
    }
    message.add_packed_uint64(field::kSampleLocations, locations.begin(), locations.end());
    message.add_packed_int64(field::kSampleValues, sample.values.begin(), sample.values.end());
    for (const Label& label : profile_.label_sets()[sample.labels]) {
      protozero::pbf_writer part(message, field::kSampleLabels);
      part.add_int64(field::kLabelKey, strings_.id(label.key));
      part.add_int64(field::kLabelText, strings_.id(label.text));
    }
  }

  // The program, which is named in full: nobody has to look for its symbols.
  void write_mapping() {
    protozero::pbf_writer message(out_, field::kMapping);
    message.add_uint64(field::kMappingId, 1);
    message.add_int64(field::kMappingFile, strings_.id("perigee"));
    for (const int known :
         {field::kMappingFunctions, field::kMappingFiles, field::kMappingLines, field::kMappingInlined}) {
      message.add_bool(static_cast<protozero::pbf_tag_type>(known), true);
    }
  }

  // A location for each frame; frames that differ in their line alone share a function.
  void write_frames() {
    std::unordered_map<std::string, std::uint64_t> functions;
    std::uint64_t location = 0;
    for (const Frame& frame : profile_.frames()) {
      const std::string key = frame.name + '\0' + frame.file + '\0' + std::to_string(frame.first_line);
      const auto [function, added] = functions.try_emplace(key, functions.size() + 1);
      if (added) {
        write_function(function->second, frame);
      }
      protozero::pbf_writer message(out_, field::kLocation);
      message.add_uint64(field::kLocationId, ++location);
      message.add_uint64(field::kLocationMapping, 1);
      protozero::pbf_writer line(message, field::kLocationLine);
      line.add_uint64(field::kLineFunction, function->second);
      line.add_int64(field::kLineNumber, frame.line);
    }
  }

  void write_function(std::uint64_t id, const Frame& frame) {
    protozero::pbf_writer message(out_, field::kFunction);
    message.add_uint64(field::kFunctionId, id);
    message.add_int64(field::kFunctionName, strings_.id(frame.name));
    message.add_int64(field::kFunctionSystemName, strings_.id(frame.name));
    message.add_int64(field::kFunctionFile, strings_.id(frame.file));
    message.add_int64(field::kFunctionFirstLine, frame.first_line);
  }

  void write_facts() {
    out_.add_int64(field::kTimeNanos, profile_.started);
    out_.add_int64(field::kDurationNanos, profile_.duration);
    if (profile_.period > 0) {
      write_type(field::kPeriodType, profile_.types().back());
      out_.add_int64(field::kPeriod, profile_.period);
    }
    for (const std::string& comment : profile_.comments) {
      out_.add_int64(field::kComment, strings_.id(comment));
    }
    out_.add_int64(field::kDefaultSampleType, strings_.id(profile_.types().back().name));
  }

  const Profile& profile_;
  std::string bytes_;
  protozero::pbf_writer out_{bytes_};
  StringTable strings_;
};

constexpr int kGzip = 15 + 16;  // the largest window, with gzip's header

Result<std::string> compress(const std::string& bytes) {
  z_stream stream{};
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, kGzip, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    return fail("no memory to compress a profile");
  }
  std::string out(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int status = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (status != Z_STREAM_END) {
    return fail("a profile could not be compressed");
  }
  return out;
}

}  // namespace

Result<std::string> write_pprof(const Profile& profile) {
  return compress(Writer(profile).write());
}

}  // namespace perigee::profiler
