#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/result.h"
#include "profiler/recorder.h"

namespace perigee::server {

/// What somebody wants recorded.
struct ProfileRequest {
  enum class Form : std::uint8_t { kPprof, kFolded, kFlame, kTop };

  profiler::ProfileKind kind = profiler::ProfileKind::kCpu;
  Form form = Form::kPprof;
  double seconds = 0;
  int hertz = 0;

  static constexpr double kMostSeconds = 600;
};

/// Reads "KIND FORM SECONDS HERTZ", as the admin app writes it: "cpu pprof 10 99". The error says which part is wrong.
[[nodiscard]] Result<ProfileRequest> read_profile_request(std::string_view text);

/// A profile in a form, as bytes; or "!" and why it can't be written.
[[nodiscard]] std::string write_profile(const profiler::Profile& profile, ProfileRequest::Form form);

/// Makes recordings for the admin port. Any thread.
class ProfileDesk {
 public:
  /// The profile in the form asked for; or "!" and why there is none.
  using Done = std::function<void(std::string)>;

  static constexpr std::size_t kMostAtOnce = 16;  ///< recordings; more are refused

  explicit ProfileDesk(profiler::Recorder& recorder) : recorder_(recorder) {}

  /// Records what read_profile_request() makes of `request`. `done` is called later, on a thread of the profiler's, or
  /// at once when nothing can be recorded. `number`: what forget() knows it by, no other has it.
  void record(std::uint64_t number, std::string_view request, Done done);
  /// Ends a recording that nobody waits for any more, if it is under way; `done` is not called then.
  void forget(std::uint64_t number);

 private:
  struct UnderWay {
    std::mutex mutex;
    std::map<std::uint64_t, std::uint64_t> recordings;  // the recorder's, by number
  };

  [[nodiscard]] Result<> begin(std::uint64_t number, std::string_view request, const Done& done);

  profiler::Recorder& recorder_;
  std::shared_ptr<UnderWay> under_way_ = std::make_shared<UnderWay>();  // the recorder's thread may outlive the desk
};

}  // namespace perigee::server
