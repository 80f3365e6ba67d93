#include "script/body_intake.h"

#include "vm_fixture.h"

using perigee::script::BodyIntake;
using perigee::script::Task;

namespace {

/// A task that waits for bytes of a body.
Task& reader(LoadedVm& loaded) {
  Task& task = loaded.vm->take_task();
  task.waiting = true;
  task.view.wants_body = 1;
  return task;
}

}  // namespace

TEST_CASE("body intake: what came is unread until it was read, and then gone") {
  std::string body;
  BodyIntake intake;
  intake.begin();
  REQUIRE(intake.keep(body, "hello "));
  REQUIRE(intake.keep(body, "world"));
  CHECK(intake.unread(body) == "hello world");
  intake.advance(body, 3);
  CHECK(intake.unread(body) == "lo world");
  intake.advance(body, 8);
  CHECK(intake.unread(body).empty());
  CHECK(body.empty());
  REQUIRE(intake.keep(body, "more"));
  CHECK(intake.unread(body) == "more");
}

TEST_CASE("body intake: what is discarded takes no room and refuses nothing") {
  std::string body;
  BodyIntake intake;
  intake.begin();
  REQUIRE(intake.keep(body, "some"));
  intake.discard(body);
  CHECK(intake.keep(body, "more"));
  CHECK(body.empty());
  CHECK(intake.unread(body).empty());
}

TEST_CASE("body intake: the first failure is the one that is told") {
  BodyIntake intake;
  intake.begin();
  intake.fail(413, "too_large", "first");
  intake.fail(400, "closed", "second");
  CHECK(intake.state() == BodyIntake::State::kFailed);
  CHECK(intake.failure().status == 413);
  CHECK(intake.failure().word == "too_large");
  CHECK(intake.failure().detail == "first");
}

TEST_CASE("body intake: bytes wake who reads parts, the end wakes who wants the whole") {
  LoadedVm loaded("");
  Task& part = reader(loaded);
  Task& whole = reader(loaded);
  std::string body;
  BodyIntake intake;
  intake.begin();
  intake.await(part, false);
  intake.await(whole, true);
  intake.wake(body);
  CHECK_FALSE(part.ready);
  REQUIRE(intake.keep(body, "x"));
  intake.wake(body);
  CHECK(part.ready);
  CHECK_FALSE(whole.ready);
  CHECK(intake.awaited());
  intake.end();
  intake.wake(body);
  CHECK(whole.ready);
  CHECK_FALSE(intake.awaited());
}

TEST_CASE("body intake: a task that waits for something else by now is left alone") {
  LoadedVm loaded("");
  Task& other = reader(loaded);
  Task& gone = reader(loaded);
  {
    BodyIntake intake;
    intake.begin();
    intake.await(other, true);
    intake.await(gone, true);
    other.view.wants_body = 0;
    gone.view.serial += 1;
  }
  CHECK_FALSE(other.ready);
  CHECK_FALSE(gone.ready);
}

TEST_CASE("body intake: a form takes what has come, and keeps no body while it arrives") {
  const std::string whole = "--b\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--b--";
  std::string body = whole.substr(0, 30);
  BodyIntake intake;
  intake.begin();
  intake.begin_form(body, "multipart/form-data; boundary=b", {});
  CHECK(body.empty());
  REQUIRE(intake.keep(body, whole.substr(30)));
  intake.end();
  CHECK(intake.state() == BodyIntake::State::kWhole);
  CHECK(intake.form()->parts().size() == 1);
}

TEST_CASE("body intake: a form that fails, fails the body") {
  std::string body = "no form";
  BodyIntake whole;
  whole.begin_form(body, "multipart/form-data; boundary=b", {});
  CHECK(whole.state() == BodyIntake::State::kFailed);
  CHECK(whole.failure().status == 400);
  CHECK(body == "no form");
  BodyIntake arriving;
  arriving.begin();
  arriving.begin_form(body, "multipart/form-data", {});
  CHECK(arriving.state() == BodyIntake::State::kFailed);
  CHECK_FALSE(arriving.keep(body, "more"));
}

TEST_CASE("body intake: its end wakes whoever still waits") {
  LoadedVm loaded("");
  Task& task = reader(loaded);
  {
    BodyIntake intake;
    intake.begin();
    intake.await(task, true);
  }
  CHECK(task.ready);
}
