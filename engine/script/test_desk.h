#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "http/answer_reader.h"
#include "script/lua_allocator.h"

namespace perigee::script {

/// What a file of tests asks of the program that runs it: apps to test and clients to speak to them, both known by
/// numbers, and a place for its results. Its worker's thread only. Waits are bounded by the time a test may take.
class TestDesk {
 public:
  virtual ~TestDesk() = default;

  struct AppRequest {
    std::string path;
    std::vector<std::string> sets;  ///< "section.key=value", as --set takes them
    bool served = false;            ///< on a port of the loopback, by a thread of its own
  };

  /// What became of one test.
  struct Outcome {
    std::string status;  ///< "success", "failure", "error" or "pending"
    std::string name;
    std::string place;    ///< file:line
    std::string message;  ///< of what did not go well
    double seconds = 0;
  };

  /// How much of an answer is waited for.
  enum class Wanted : std::uint8_t { kHead, kPart, kWhole };

  /// Loads an app and runs its start hooks.
  [[nodiscard]] virtual Result<int> open_app(const AppRequest& request) = 0;
  /// Runs its stop hooks and closes it with its clients; the error is theirs. Does nothing a second time.
  [[nodiscard]] virtual Result<> close_app(int app) = 0;
  /// "127.0.0.1:8080" of a served app, else "".
  [[nodiscard]] virtual std::string address(int app) = 0;

  [[nodiscard]] virtual Result<int> open_client(int app) = 0;
  virtual void close_client(int client) = 0;
  /// Sends a request; the answer is waited for next. False when the connection can't be had.
  [[nodiscard]] virtual bool send(int client, std::string_view request, bool is_head) = 0;
  /// Waits for that much of the answer, `seconds` at most (less than 0: as long as the test may take). False when it
  /// did not come in time. What there is can be read from answer() either way.
  [[nodiscard]] virtual bool await(int client, Wanted wanted, double seconds) = 0;
  [[nodiscard]] virtual http::AnswerReader& answer(int client) = 0;

  /// Stands in for a host, at a port or at any (0): what the apps ask of it comes from next_call(). Its number.
  [[nodiscard]] virtual Result<int> open_upstream(const std::string& host, int port) = 0;
  virtual void close_upstream(int upstream) = 0;
  /// What has come over an app's connection to an upstream.
  struct Call {
    int upstream = 0;
    int connection = 0;
    std::string bytes;
    bool ended = false;  ///< the app has hung up
  };
  [[nodiscard]] virtual std::optional<Call> next_call() = 0;
  /// Sends bytes to an app; `last`: then the connection ends.
  virtual void answer_call(int connection, std::string_view bytes, bool last) = 0;

  /// Whoever answers calls while the test waits for an app.
  struct Attended {
    bool busy = false;                 ///< something was done
    std::optional<Milliseconds> next;  ///< when there is more to do, if the clock alone brings it
  };
  using Attendant = std::function<Attended()>;
  /// Whether anybody is needed; and who does it from here on. Returns who did.
  [[nodiscard]] virtual bool has_upstreams() const = 0;
  virtual Attendant attend_by(Attendant attendant) = 0;

  /// Moves the clock on for every app, and lets them do what is due on the way. False where the test's time was over
  /// before that.
  [[nodiscard]] virtual bool advance(double seconds) = 0;

  /// What the file's VM and those of its apps have allocated so far. REQUIRES: the file holds benchmarks.
  [[nodiscard]] virtual LuaAllocator::Counts allocated() = 0;

  /// What lanes that do the same in step have brought to a meeting.
  struct Meeting {
    double largest = 0;
    double first = 0;  ///< sums
    double second = 0;
  };
  /// Waits until every lane is there; `largest` is infinite once one has left.
  [[nodiscard]] virtual Meeting meet(const Meeting& own) = 0;

  /// What a benchmark has come to: nanoseconds, bytes and allocations for each of n; the best and the worst round.
  struct Measured {
    std::string name;
    std::int64_t n = 0;
    double ns = 0, bytes = 0, allocations = 0, fastest = 0, slowest = 0;
  };
  virtual void bench_progress(std::string_view name, double n, int rounds) = 0;
  virtual void bench_result(const Measured& measured) = 0;
  virtual void bench_failed(std::string_view name, std::string_view message) = 0;

  /// A test begins; "" when the file's own code goes on.
  virtual void begin_test(std::string_view name, std::string_view place) = 0;
  virtual void end_test(Outcome outcome) = 0;
  /// The running test has failed: what cleans up after it has its time anew.
  virtual void renew() = 0;
};

}  // namespace perigee::script
