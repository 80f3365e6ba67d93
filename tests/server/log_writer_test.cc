#include "server/log_writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <map>
#include <sstream>
#include <thread>

#include "captured_log.h"
#include "scratch.h"

using namespace perigee::server;

namespace {

std::unique_ptr<LogWriter> opened(const std::string& target, LogWriter::Limits limits = {}) {
  auto writer = LogWriter::open(target, limits);
  REQUIRE(writer);
  return std::move(*writer);
}

void submit(LogWriter& writer, std::string lines) {
  writer.submit(lines);
  REQUIRE(lines.empty());
}

// A pipe by name, with its reading end open and not read.
class Pipe {
 public:
  explicit Pipe(std::string path) : path_(std::move(path)) {
    REQUIRE(mkfifo(path_.c_str(), 0600) == 0);
    reader_ = open(path_.c_str(), O_RDONLY | O_NONBLOCK);
    REQUIRE(reader_ >= 0);
  }
  ~Pipe() { close_reader(); }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  void close_reader() {
    if (reader_ >= 0) {
      close(std::exchange(reader_, -1));
    }
  }

  // Reads until every writer has closed.
  [[nodiscard]] std::string read_all() {
    fcntl(reader_, F_SETFL, 0);
    std::string text;
    char chunk[4096];
    for (ssize_t size = 0; (size = ::read(reader_, chunk, sizeof chunk)) > 0;) {
      text.append(chunk, static_cast<std::size_t>(size));
    }
    return text;
  }

 private:
  std::string path_;
  int reader_ = -1;
};

// The sum of the warnings about dropped lines.
std::uint64_t drops_told(const std::string& log) {
  const std::string words = " was too slow; lines dropped: ";
  std::uint64_t sum = 0;
  for (std::size_t at = log.find(words); at != std::string::npos; at = log.find(words, at + 1)) {
    sum += std::stoull(log.substr(at + words.size()));
  }
  return sum;
}

std::string lines_of(std::size_t count, std::size_t size) {
  std::string line(size, 'x');
  line.back() = '\n';
  std::string lines;
  for (std::size_t i = 0; i < count; ++i) {
    lines += line;
  }
  return lines;
}

}  // namespace

TEST_CASE("log writer: every line of every thread arrives whole and in its thread's order") {
  constexpr int kThreads = 4;
  constexpr int kBuffers = 200;
  const Scratch scratch;
  const CapturedLog log;
  const auto writer = opened(scratch.path("a.log"), {.queued_bytes = std::size_t{64} << 20});
  std::vector<std::thread> threads;
  for (int id = 0; id < kThreads; ++id) {
    threads.emplace_back([&writer, id] {
      std::string lines;
      for (int number = 0; number < kBuffers * 10; ++number) {
        lines += std::to_string(id) + " " + std::to_string(number) + "\n";
        if (number % 10 == 9) {
          writer->submit(lines);
        }
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  writer->stop();
  std::istringstream lines(Scratch::read(scratch.path("a.log")));
  std::map<int, int> next;
  int id = 0;
  int number = 0;
  int disordered = 0;
  while (lines >> id >> number) {
    disordered += number != next[id]++;
  }
  CHECK(disordered == 0);
  CHECK(next == std::map<int, int>{{0, 2000}, {1, 2000}, {2, 2000}, {3, 2000}});
  CHECK(writer->dropped_lines() == 0);
  CHECK(writer->failed_lines() == 0);
  CHECK(log.text().empty());
}

TEST_CASE("log writer: a full queue drops whole buffers, counts their lines and tells of it once there is room") {
  const Scratch scratch;
  const CapturedLog log;
  Pipe pipe(scratch.path("pipe"));
  auto writer = opened(scratch.path("pipe"), {.queued_bytes = 100'000, .stop_patience = 60'000});
  for (int i = 0; i < 50; ++i) {
    submit(*writer, lines_of(10, 1000));
  }
  const std::uint64_t dropped = writer->dropped_lines();
  CHECK(dropped >= 500 - 100 - 70);  // what the queue and the pipe hold
  CHECK(dropped <= 500 - 100);
  CHECK(dropped % 10 == 0);
  std::string text;
  std::thread reader([&] { text = pipe.read_all(); });
  writer->stop();
  CHECK(drops_told(log.text()) == dropped);
  writer.reset();
  reader.join();
  CHECK(text == lines_of(500 - dropped, 1000));
}

TEST_CASE("log writer: stopping does not wait for ever for a pipe that nobody empties") {
  const Scratch scratch;
  const CapturedLog log;
  const Pipe pipe(scratch.path("pipe"));
  const auto writer = opened(scratch.path("pipe"), {.stop_patience = 1});
  submit(*writer, lines_of(300, 1000));
  writer->stop();
  CHECK(writer->failed_lines() >= 300 - 66);
  CHECK(log.text().find("Connection timed out; its lines are lost until that ends") != std::string::npos);
}

TEST_CASE("log writer: a full disk is counted and told once, and ends nothing") {
  const CapturedLog log;
  const auto writer = opened("/dev/full");
  submit(*writer, "one\ntwo\n");
  submit(*writer, "three\n");
  writer->stop();
  CHECK(writer->failed_lines() == 3);
  CHECK(log.text() ==
        "error cannot write to the log '/dev/full': No space left on device; its lines are lost until that ends\n");
}

TEST_CASE("log writer: a pipe whose reader has left is an error like another, not a signal") {
  const Scratch scratch;
  const CapturedLog log;
  Pipe pipe(scratch.path("pipe"));
  const auto writer = opened(scratch.path("pipe"));
  pipe.close_reader();
  submit(*writer, "one\n");
  writer->stop();
  CHECK(writer->failed_lines() == 1);
  CHECK(log.text().find("Broken pipe") != std::string::npos);
}

TEST_CASE("log writer: what is submitted after a reopening goes to the new file, and nothing is lost") {
  const Scratch scratch;
  const std::string path = scratch.path("a.log");
  const auto writer = opened(path);
  submit(*writer, "one\n");
  std::filesystem::rename(path, path + ".1");
  writer->reopen();
  submit(*writer, "two\n");
  writer->stop();
  CHECK(Scratch::read(path).ends_with("two\n"));
  CHECK(Scratch::read(path + ".1") + Scratch::read(path) == "one\ntwo\n");
}

TEST_CASE("log writer: a reopening that fails is told, and the old file goes on") {
  const Scratch scratch;
  const CapturedLog log;
  const std::string path = scratch.path("a.log");
  const auto writer = opened(path);
  std::filesystem::rename(path, path + ".1");
  std::filesystem::create_directory(path);
  writer->reopen();
  submit(*writer, "one\n");
  writer->stop();
  CHECK(Scratch::read(path + ".1") == "one\n");
  CHECK(log.text() ==
        "error cannot open the log '" + path + "': Is a directory; going on with the file that is open\n");
}

TEST_CASE("log writer: after the stop lines are dropped and counted, and stopping again does nothing") {
  const Scratch scratch;
  const auto writer = opened(scratch.path("a.log"));
  submit(*writer, "one\n");
  submit(*writer, "");
  writer->stop();
  submit(*writer, "two\nthree\n");
  writer->stop();
  CHECK(writer->dropped_lines() == 2);
  CHECK(Scratch::read(scratch.path("a.log")) == "one\n");
}

TEST_CASE("log writer: a log that cannot be opened is an error at the start") {
  const auto writer = LogWriter::open("/nowhere/a.log");
  REQUIRE_FALSE(writer);
  CHECK(writer.error().message == "cannot open the log '/nowhere/a.log': No such file or directory");
}
