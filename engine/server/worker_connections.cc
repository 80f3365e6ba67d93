// What connections tell their worker, and what it does with those it can't take.

#include <unistd.h>

#include <vector>

#include "base/log.h"
#include "http/problem.h"
#include "http/sse.h"
#include "script/traceback.h"
#include "server/worker.h"

namespace perigee::server {
namespace {

profiler::ConnectionRefusal reason_of(ConnectionLimits::Verdict verdict) {
  return verdict == ConnectionLimits::Verdict::kTooMany ? profiler::ConnectionRefusal::kTooMany
                                                        : profiler::ConnectionRefusal::kTooManyFromAddress;
}

}  // namespace

void Worker::on_half_close(net::Connection& client) {
  refresh_time();
  if (Visit* visit = visit_of(client); visit != nullptr && visit->stage == Visit::Stage::kStreaming &&
                                       visit->answer.content_type == http::kEventStream) {
    client.close();  // who only listens has gone
    return;
  }
  if (Visit* visit = visit_of(client); visit != nullptr && visit->intake != nullptr && visit->intake->awaited()) {
    take_in(*visit);
  }
  serve(client);
}

void Worker::on_drained(net::Connection& client) {
  if (Visit* visit = visit_of(client);
      visit != nullptr && visit->stage == Visit::Stage::kStreaming && visit->task->view.wants_room != 0) {
    visit->task->vm.make_ready(*visit->task);
  }
  backlog_.push_back(&client);
}

void Worker::on_deadline(net::Connection& client) {
  refresh_time();
  Visit* visit = visit_of(client);
  if (visit == nullptr) {
    client.close_gracefully();
    return;
  }
  switch (visit->stage) {
    case Visit::Stage::kProxyHeader:
      refuse_proxy(client, visit->peer, "its PROXY header did not come in time");
      break;
    case Visit::Stage::kHead:
      visit->publish_refused();
      meter_.refuse(profiler::RefusalReason::kHeadTimeout);
      (void)refuse_and_close(*visit, 408, "the request's head did not come in time");
      break;
    case Visit::Stage::kBody:
      (void)refuse_body(*visit, 408, "the body did not come in time");
      break;
    case Visit::Stage::kHandling:
      if (visit->intake != nullptr && visit->intake->awaited()) {
        fail_body(*visit, 408, "timeout", "the body did not come in time");
      } else {
        stop_handler(client, *visit);
      }
      break;
    case Visit::Stage::kStreaming:
      if (visit->intake != nullptr && visit->intake->awaited()) {
        fail_body(*visit, 408, "timeout", "the body did not come in time");
      }
      break;
    case Visit::Stage::kRest:
      client.close_gracefully();
      break;
    case Visit::Stage::kSending:
    case Visit::Stage::kAfter:
      break;
  }
}

// A handler over its time is told so by its waits and may still answer; one that goes on all the same is left to
// itself, and its client is answered without it.
void Worker::stop_handler(net::Connection& client, Visit& visit) {
  script::Task& task = *visit.task;
  if (task.view.cancelled == 0) {
    task.vm.cancel(task, script::CancelReason::kTimeLimit);
    client.set_deadline(now_ + kLastWords);
    return;
  }
  meter_.refuse(profiler::RefusalReason::kTimeLimit);
  script::Dispatcher::answer_problem(visit, 503, "the handler was over its time limit", request_id(visit));
  measure(visit);
  visit.close_after = true;
  answers_.write_whole(visit);
  const std::string text = "a handler goes on after its time limit: " + std::string(visit.view.path.view());
  log_sink().write(LogLevel::kError, script::traceback_of(task.vm, task.coroutine, text.c_str()), "",
                   request_id(visit));
  if (access_log_ != nullptr) {
    log_access(visit);
  }
  client.context = nullptr;
  visit.connection = nullptr;
  if (visit.intake != nullptr) {
    fail_body(visit, 503, "closed", "the client was answered already");
  }
  client.close_gracefully();
}

void Worker::on_closed(net::Connection& client) {
  if (turned_away_.erase(client)) {
    return;
  }
  (void)connections_.erase(client);
  connection_count_.fetch_sub(1, std::memory_order_relaxed);
  setup_.limits->release(client.peer());
  head_memos_.forget(&client);
  std::erase(backlog_, &client);
  std::erase(unflushed_, &client);
  Visit* visit = visit_of(client);
  if (visit == nullptr) {
    return;
  }
  client.context = nullptr;
  visit->connection = nullptr;
  if (visit->intake != nullptr) {
    fail_body(*visit, 400, "closed", "the client has gone");
  }
  if (visit->stage == Visit::Stage::kSending) {
    visit->bytes_sent -= client.file_left();
    (void)complete(*visit);  // the handler has ended: what is left of it is the log's line and the hooks
  } else if (visit->task != nullptr) {
    visit->task->vm.cancel(*visit->task, script::CancelReason::kClientGone);
  } else {
    release(*visit);
  }
}

void Worker::turn_away(int fd, const net::PeerAddress& peer, ConnectionLimits::Verdict verdict) {
  static constexpr std::size_t kMostAtOnce = 256;
  if (turned_away_.size() >= kMostAtOnce) {
    meter_.refuse(reason_of(verdict));
    ::close(fd);
    return;
  }
  net::Connection& client = net::Connection::adopt(loop_, fd, peer, *this);
  turned_away_.insert(client);
  turn_away(client, verdict);
}

void Worker::turn_away(net::Connection& client, ConnectionLimits::Verdict verdict) {
  meter_.refuse(reason_of(verdict));
  const std::string_view why = verdict == ConnectionLimits::Verdict::kTooMany
                                   ? "the server has all the connections it takes"
                                   : "this address has all the connections it may have";
  const std::string body = http::problem_json(503, why, "");
  http::ResponseHead head;
  head.status = 503;
  head.content_type = http::kProblemType;
  head.fields = "Retry-After: 1\r\n";
  head.length = body.size();
  head.persistence = http::Persistence::kClose;
  refresh_time();
  answers_.write(client.output(), head, body);
  client.close_gracefully();
}

}  // namespace perigee::server
