#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/growing_text.h"
#include "files/file_plan.h"
#include "http/body_framer.h"
#include "http/head_scanner.h"
#include "http/request_head.h"
#include "http/router.h"
#include "script/body_intake.h"
#include "script/channel_answer.h"
#include "script/request_session.h"
#include "script/request_view.h"

namespace perigee::script {

class Task;
struct Origin;

/// The answer to a request, as it was normalized from what Lua returned.
struct Answer {
  enum class Kind : std::uint8_t {
    kWhole,
    kReady,   ///< whole, and filled natively: nothing that Lua returned is looked at
    kStream,  ///< a function writes it
    kFile,    ///< sent from `file`
    kChannel  ///< the connection becomes a subscriber: `channel`
  };

  int status = 200;
  Kind kind = Kind::kWhole;
  std::string_view content_type;  ///< of a literal, or of `type_text`
  std::string_view body;          ///< on the task's stack, in the VM's scratch buffer, or in `text`
  std::string type_text;
  GrowingText fields;                      ///< whole header lines
  std::string cookies;                     ///< Set-Cookie lines: they ride on whatever answer is sent
  std::string text;                        ///< a body made natively
  std::unique_ptr<files::FileBody> file;   ///< of kFile
  std::unique_ptr<ChannelAnswer> channel;  ///< of kChannel

  void reset() {
    status = 200;
    kind = Kind::kWhole;
    content_type = {};
    body = {};
    fields.clear();
  }
};

/// One request and its answer, from the first byte of the head to the last byte of the body. Pooled by a worker.
class Exchange {
 public:
  http::HeadScanner scanner;
  http::RequestHead head;
  http::BodyFramer framer;
  http::Router::Parameters parameters;
  RequestView view;
  Answer answer;
  std::string body;                    ///< the whole, or what has come and was not read yet
  std::unique_ptr<BodyIntake> intake;  ///< of a body that still arrives or is read in parts; null else
  RequestSession session;
  std::vector<std::int32_t> refused;  ///< routes that took the path and then refused a parameter
  Task* task = nullptr;               ///< who runs the handler, once there is one
  void* connection = nullptr;         ///< whose it is: the server's business; null once the client has gone
  double id = 0;                      ///< counts up, unique in the process together with the worker's number
  std::int64_t started_ns = 0;
  std::uint64_t bytes_sent = 0;
  std::shared_ptr<const Origin> origin;  ///< what its tasks come from, once there is one

  /// How many pairs of a query, or cookies, are read without a table being built by the engine.
  static constexpr std::size_t kMaxPairs = 4;

  Exchange() {
    view.parameters = parameters.values.data();
    view.pairs = pairs_.data();
  }
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  /// Makes a pooled exchange ready for the next request.
  [[gnu::always_inline]] void reset() {
    scanner.reset();
    body.clear();
    answer.reset();
    answer.cookies.clear();
    parameters.count = 0;
    refused.clear();
    task = nullptr;
    origin.reset();
    bytes_sent = 0;
    owned_ = false;
  }

  /// The intake, made where there is none yet.
  [[nodiscard]] BodyIntake& open_intake();

  /// Takes the next bytes of the body. False: no more are wanted.
  [[nodiscard]] bool keep_body(std::string_view bytes) {
    if (intake != nullptr) {
      return intake->keep(body, bytes);
    }
    body.append(bytes);
    return true;
  }

  /// The body has come whole.
  void end_body();

  /// Whether it has what must not outlive it: shed() is to follow.
  [[nodiscard]] bool holds() const;
  /// Gives memory back when the exchange is over: a large body's, or all that it keeps for the next one.
  void shed(bool all);

  /// Shows the head to Lua. Call when the head is complete, before a handler runs.
  void publish() {
    view.method = static_cast<std::int32_t>(head.method);
    view.minor_version = head.minor_version;
    view.route = -1;
    view.method_text = Slice::of(head.text(head.method_text));
    view.target = Slice::of(head.text(head.target));
    view.path = Slice::of(head.path());
    view.query = Slice::of(head.text(head.query));
    view.host = Slice::of(head.text(head.host));
    view.body = Slice::of(body);
    view.body_state = 0;
    view.id = id;
  }

  /// Decode the query, or the cookies, into view.pairs and return how many there are; -1 when there are more than
  /// kMaxPairs. Throw std::bad_alloc. A later call overwrites what an earlier one found.
  [[nodiscard]] std::int32_t read_query();
  [[nodiscard]] std::int32_t read_cookies();

  /// Leave the first value of that name in view.found; false when there is none. A query's value is decoded, which may
  /// throw std::bad_alloc; it stays until the next such call.
  [[nodiscard]] bool find_query(std::string_view name);
  [[nodiscard]] bool find_cookie(std::string_view name) noexcept;

  /// The value of the cookie called `name`; "" when there is none, or more than one. A field that is nothing but the
  /// name and `size` bytes is not taken apart: whoever wants a value of that size looks at each of its bytes.
  [[nodiscard]] std::string_view only_cookie(std::string_view name, std::size_t size) const noexcept;

  /// Where a decoded value may be put: it stays until the next such call, or that of read_query().
  [[nodiscard]] std::string& value_room() { return decoded_; }

  /// Copies the head's bytes, so that the connection's buffer may move or go. Does nothing a second time.
  void own_head();

 private:
  std::array<PairView, kMaxPairs> pairs_;
  std::string decoded_;
  std::string head_bytes_;
  bool owned_ = false;
};

}  // namespace perigee::script
