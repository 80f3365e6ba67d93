#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace perigee::profiler {

/// What runs in a frame.
enum class FrameKind : std::uint8_t {
  kLua,      ///< a line of the program or of the library's Lua half
  kBuiltin,  ///< a function of Lua's own libraries, written in C
  kNative,   ///< a function of the engine, LuaJIT or another library
  kState,    ///< what the VM was doing: compiled code, garbage collection, the compiler itself
  kWait,     ///< what was waited for
};

/// The word for a kind in labels and pages: "lua", "builtin", "native", "state", "wait".
[[nodiscard]] std::string_view word_of(FrameKind kind);

/// A place in the program.
struct Frame {
  std::string name;             ///< of the function
  std::string file;             ///< empty where there is no source
  std::int32_t line = 0;        ///< where it was, from 1; 0 is unknown
  std::int32_t first_line = 0;  ///< where its function begins, from 1; 0 is unknown
  FrameKind kind = FrameKind::kNative;

  bool operator==(const Frame&) const = default;
};

/// A fact about a sample beside its stack: worker, route, state.
struct Label {
  std::string key;
  std::string text;

  bool operator==(const Label&) const = default;
};

/// What is counted: "cpu" in "nanoseconds".
struct ValueType {
  std::string name;
  std::string unit;
};

/// A stack, its labels and what was counted there. Ids are the profile's own.
struct Sample {
  std::vector<std::uint32_t> stack;  ///< frame ids, the innermost first
  std::uint32_t labels = 0;
  std::vector<std::int64_t> values;  ///< one for each of the profile's types
};

/// Samples of one recording, equal stacks with equal labels added up. Not for several threads at once.
class Profile {
 public:
  using Labels = std::vector<Label>;

  explicit Profile(std::vector<ValueType> types);

  /// The id of a frame; the same for an equal one.
  std::uint32_t frame(const Frame& frame);
  /// The id of a set of labels; the same for an equal one. Their order counts.
  std::uint32_t labels(const Labels& labels);

  /// Adds values to those of the stack. REQUIRES: ids of this profile, one value for each type.
  void add(std::span<const std::uint32_t> stack, std::uint32_t labels, std::span<const std::int64_t> values);

  [[nodiscard]] const std::vector<ValueType>& types() const { return types_; }
  [[nodiscard]] const std::vector<Frame>& frames() const { return frames_; }
  [[nodiscard]] const std::vector<Labels>& label_sets() const { return label_sets_; }
  [[nodiscard]] const std::vector<Sample>& samples() const { return samples_; }

  std::int64_t started = 0;           ///< nanoseconds since 1970
  std::int64_t duration = 0;          ///< nanoseconds
  std::int64_t period = 0;            ///< between two samples, in the unit of the last type; 0 if not sampled
  std::vector<std::string> comments;  ///< for whoever reads the profile: what was left out, and why

 private:
  std::vector<ValueType> types_;
  std::vector<Frame> frames_;
  std::vector<Labels> label_sets_;
  std::vector<Sample> samples_;
  std::unordered_map<std::string, std::uint32_t> frame_ids_;
  std::unordered_map<std::string, std::uint32_t> label_ids_;
  std::unordered_map<std::string, std::uint32_t> sample_ids_;
};

}  // namespace perigee::profiler
