#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/byte_buffer.h"
#include "base/result.h"
#include "files/upload_form.h"
#include "http/router.h"
#include "script/allocation_tally.h"
#include "script/collection_counter.h"
#include "script/coverage.h"
#include "script/errands.h"
#include "script/fetches.h"
#include "script/file_answer.h"
#include "script/governor.h"
#include "script/host.h"
#include "script/json_table.h"
#include "script/lua_allocator.h"
#include "script/raw_stack.h"
#include "script/request_view.h"
#include "script/task.h"

struct lua_State;

namespace perigee::client {
class StreamPool;
}

namespace perigee::profiler {
struct VmMeter;
}

namespace perigee::script {

class HttpAsks;

/// What an app is loaded with.
struct VmSettings {
  std::string app_path;
  std::string config_json = "{}";  ///< the [app] table: perigee.config
  int json_depth = 64;
  int form_fields = 1000;
  std::size_t message_bytes = 64 * 1024;  ///< of data that is published
  std::size_t message_queue = 1000;       ///< messages that wait for a subscriber
  double heartbeat = 15;                  ///< seconds between comments on a stream that waits for messages
  files::UploadSettings upload;           ///< of multipart forms
  int worker_id = 0;
  int worker_count = 1;
  VmLimits limits;
  profiler::VmMeter* meter = nullptr;  ///< where it counts what it does; null: nowhere. Outlives the VM
  bool development = false;  ///< errors are shown with source and locals, new globals and lost updates reported
  bool tests = false;        ///< of a file of tests: perigee.test works
  AllocationTally* allocations = nullptr;  ///< what it allocates is counted there; null: nowhere. Outlives the VM
  Coverage::Total* coverage = nullptr;     ///< receives which lines ran; null: nobody counts
};

/// One route as `perigee routes` and logs show it.
struct RouteInfo {
  std::string method;  ///< "GET", or "*" for any
  std::string pattern;
  std::string place;             ///< file:line of its definition
  std::string types;             ///< what its spec says beside the pattern, in short: "query{page=} body{name,age?}"
  std::int64_t body_limit = -1;  ///< bytes; -1: the configured one
  double time_limit = -1;        ///< seconds; -1: the configured one
  std::int64_t cpu_limit = 0;    ///< nanoseconds; Pulse::kNoLimit for any
  std::size_t memory_limit = 0;  ///< bytes; kAnyMemory for any
  RawStack::Kept handler;
};

/// One generation of the app on one worker: a LuaJIT VM with the library and the app loaded, its routes and its tasks.
/// Built on any thread; from attach() on it belongs to its worker's.
class Vm {
 public:
  /// The ways a coroutine can stop.
  enum class Status : std::uint8_t { kReturned, kYielded, kFailed };

  /// The functions of the library that the engine calls.
  struct Entries {
    int answer = 0, failed = 0, render = 0, refuse = 0, stream = 0, run_deferred = 0, after = 0, hook = 0;
    int job = 0;          ///< job(pointer): runs a Job; of a background VM only
    int save = 0;         ///< writes the request's session: save(view, ...) -> ...
    int stray_yield = 0;  ///< a message
  };

  /// Loads library and app. `mistakes` receives every mistake, each with file and line; null is returned then.
  [[nodiscard]] static std::unique_ptr<Vm> load(const VmSettings& settings, std::vector<std::string>& mistakes);

  ~Vm();
  Vm(const Vm&) = delete;
  Vm& operator=(const Vm&) = delete;

  /// Gives the VM to a worker. REQUIRES: called on the worker's thread, before any task runs.
  void attach(Host& host);
  /// Whether what it allocates is told to the thread's sampler, and each wait to its log. Worker's thread, outside of
  /// Lua.
  void sample_allocations(bool on);
  void note_waits(bool on) { notes_waits_ = on; }
  /// Whether each wait is to be told before it begins.
  [[nodiscard]] bool notes_waits() const { return notes_waits_; }
  /// A waiting task goes on: its wait is counted, and told to those who record waits. `route`: what its request is
  /// counted under; -1 for none.
  void end_wait(Task& task, std::int32_t route);
  /// Has the waits that last told to those who record them from now on; `route_of` is asked for each waiting task.
  void note_lasting_waits(const std::function<std::int32_t(const Task& task)>& route_of);

  [[nodiscard]] const http::Router& router() const { return router_; }
  [[nodiscard]] const std::vector<RouteInfo>& routes() const { return routes_; }
  [[nodiscard]] Host& host() { return *host_; }
  /// The folders that app:static() serves, by the numbers that Lua knows them by.
  [[nodiscard]] std::vector<StaticFolder>& static_folders() { return static_folders_; }
  [[nodiscard]] const VmSettings& settings() const { return settings_; }
  /// Higher than that of every VM of this process that was made before.
  [[nodiscard]] std::uint64_t number() const { return number_; }
  [[nodiscard]] const Entries& entries() const { return entries_; }
  [[nodiscard]] lua_State* state() { return state_; }
  [[nodiscard]] Governor& governor() { return governor_; }
  /// Whether a worker has it: before that the app is being loaded.
  [[nodiscard]] bool attached() const { return host_ != nullptr; }
  [[nodiscard]] bool has_after() const { return has_after_; }
  [[nodiscard]] bool has_error_hook() const { return has_error_hook_; }
  [[nodiscard]] bool has_refusal_hook() const { return has_refusal_hook_; }

  /// What the library's loader says of the loaded app under that name: "routes_json", "openapi_json". REQUIRES: called
  /// before attach(), or on the worker's thread while no task runs.
  [[nodiscard]] std::string description(const char* name);

  /// Counts in its meter if LuaJIT threw away all that it had compiled since this was called before. REQUIRES: as
  /// description().
  void look_for_flush();

  /// Counts in its meter if the garbage collector has ended a round since this was called before. REQUIRES: as
  /// description(), once it is attached.
  void look_for_collection() {
    if (settings_.meter != nullptr && collections_.has_ended()) {
      count_collection();
    }
  }

  /// Runs `make` in the main state with `context` as its argument, a light userdata: whatever may raise or collect
  /// garbage outside of a task. False when it raised.
  bool protect(int (*make)(lua_State*), void* context);

  /// A task with an empty coroutine.
  [[nodiscard, gnu::always_inline]] Task& take_task() {
    if (free_.empty() || free_.back()->coroutine == nullptr) [[unlikely]] {
      make_task();
    }
    Task& task = *free_.back();
    free_.pop_back();
    ++busy_;
    task.cpu_limit = task.cpu_left = settings_.limits.cpu;
    return task;
  }
  /// Ends whatever the task did: kept requests of it are dead from here on.
  [[gnu::always_inline]] void give_task(Task& task) {
    task.stop_timer();
    if (task.ask != nullptr || task.origin != nullptr || task.waiting_since != 0 || free_.size() >= kKeptCoroutines)
        [[unlikely]] {
      shed(task);
    }
    if (task.coroutine != nullptr) [[likely]] {
      RawStack(task.coroutine).clear();
    }
    task.end(++last_serial_);
    --busy_;
    free_.push_back(&task);
  }
  /// Replaces a task's coroutine, which failed. The old one is unreferenced: use it before the next allocation in Lua.
  void renew_coroutine(Task& task);

  /// Whether a resume failed for want of memory since this was last asked.
  [[nodiscard]] bool take_starved() { return std::exchange(starved_, false); }
  /// Drops a task's coroutine, which failed for want of memory, with all that it held. renew_coroutine() must follow.
  void reclaim(Task& task);

  /// The one door into Lua: resumes the task's coroutine with the `arguments` values on top of its stack.
  [[nodiscard]] Status resume(Task& task, int arguments);

  /// The task that runs now; null while none does.
  [[nodiscard]] Task* current() const { return current_; }

  /// Queues a waiting task to be resumed at the end of the worker's turn.
  void make_ready(Task& task);
  /// Makes the task's waits raise; wakes it when it waits.
  void cancel(Task& task, CancelReason reason);
  /// Takes the tasks queued so far.
  [[nodiscard]] std::vector<Task*> take_ready();
  [[nodiscard]] bool has_ready() const { return !ready_.empty(); }
  /// Tasks between take and give: a VM without any can be closed.
  [[nodiscard]] std::size_t busy_tasks() const { return busy_; }
  /// Cancels every task that lives.
  void cancel_all(CancelReason reason);
  /// Ends the timers of perigee.every and perigee.cron; those that run finish their run.
  void retire();

  /// What its tasks compute for every worker, or wait for. REQUIRES: attach() was called.
  [[nodiscard]] Fetches& fetches();

  /// What other threads do for its tasks.
  [[nodiscard]] Errands& errands() { return errands_; }

  /// What its tasks ask other servers.
  [[nodiscard]] HttpAsks& asks() { return *asks_; }

  /// The idle connections of its perigee.socket.
  [[nodiscard]] client::StreamPool& socket_pool();
  /// Ends with the VM: for what is posted to its thread and may come after it.
  [[nodiscard]] std::weak_ptr<const bool> life() const { return life_; }

  /// Bytes that encoded answers are built in; valid until the next answer.
  [[nodiscard]] ByteBuffer& scratch() { return scratch_; }
  /// As perigee.json knows them.
  [[nodiscard]] const JsonMarks& json_marks() const { return json_marks_; }
  void set_json_marks(const JsonMarks& marks) { json_marks_ = marks; }
  /// Room for what perigee.encode() writes; an answer's body is never in it.
  [[nodiscard]] ByteBuffer& encoded() { return encoded_; }
  [[nodiscard]] bool has_start_hooks() const { return has_start_hooks_; }
  [[nodiscard]] bool has_stop_hooks() const { return has_stop_hooks_; }
  /// Whether an error may leave the finalizer that runs.
  [[nodiscard]] bool guards_finalizer() const { return view_.guarded > 0; }
  /// The serial of the task that was stopped last, and not pardoned; 0: none. The governor's.
  [[nodiscard]] double& stopped() { return view_.stopped; }
  /// Bytes the Lua heap holds.
  [[nodiscard]] std::size_t heap_bytes() const;

  /// The VM a Lua state belongs to. Cheap.
  [[nodiscard]] static Vm& of(lua_State* state);

 private:
  explicit Vm(const VmSettings& settings);
  [[nodiscard]] Result<> open();
  [[nodiscard]] bool load_app(std::vector<std::string>& mistakes);
  void read_routes(std::vector<std::string>& mistakes);
  [[nodiscard]] std::vector<std::string> list_field(const char* name);
  void read_entries();
  static void forget_wait(const Task& task);
  static constexpr std::size_t kKeptCoroutines = 4096;
  bool begin_counting();
  void count_collection();
  void make_task();
  void add_task();
  void shed(Task& task);
  [[nodiscard]] int new_coroutine(lua_State*& coroutine);

  VmSettings settings_;
  std::uint64_t number_;
  LuaAllocator allocator_;
  CollectionCounter collections_{allocator_};
  std::optional<AllocationTally::Entry> tallied_;
  std::unique_ptr<Coverage> coverage_;
  Governor governor_{*this, allocator_, settings_.limits};
  lua_State* state_ = nullptr;
  Host* host_ = nullptr;
  VmView view_;
  Task* current_ = nullptr;
  http::Router router_;
  std::vector<RouteInfo> routes_;
  std::vector<StaticFolder> static_folders_;
  Entries entries_;
  std::vector<std::unique_ptr<Task>> tasks_;  // all that were ever made: kept requests point at their views
  std::vector<Task*> free_;
  std::vector<Task*> ready_;
  std::size_t busy_ = 0;
  double last_serial_ = 0;
  BufferPool blocks_;
  JsonMarks json_marks_;
  ByteBuffer scratch_{blocks_};
  ByteBuffer encoded_{blocks_};
  std::unique_ptr<Fetches> fetches_;  // made by the first
  Errands errands_;
  std::unique_ptr<HttpAsks> asks_;
  std::unique_ptr<client::StreamPool> socket_pool_;
  std::shared_ptr<const bool> life_ = std::make_shared<const bool>(true);
  bool starved_ = false;
  bool notes_waits_ = false;
  bool has_after_ = false;
  bool has_error_hook_ = false;
  bool has_refusal_hook_ = false;
  bool has_start_hooks_ = false;
  bool has_stop_hooks_ = false;
};

}  // namespace perigee::script
