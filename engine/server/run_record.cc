#include "server/run_record.h"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <map>

namespace perigee::server {
namespace {

// An entry is its kind, the seconds, and texts with their lengths before them.
void put(std::string& out, std::string_view text, std::size_t most) {
  const auto size = static_cast<std::uint32_t>(std::min(text.size(), most));
  out.append(reinterpret_cast<const char*>(&size), sizeof size).append(text.substr(0, size));
}

// Takes `size` bytes from the front; none where there are fewer.
std::string_view take(std::string_view& rest, std::size_t size) {
  const std::string_view taken = rest.size() < size ? std::string_view() : rest.substr(0, size);
  rest.remove_prefix(std::min(size, rest.size()));
  return taken;
}

std::string take_text(std::string_view& rest) {
  std::uint32_t size = 0;
  if (const auto bytes = take(rest, sizeof size); !bytes.empty()) {
    std::memcpy(&size, bytes.data(), sizeof size);
  }
  return std::string(take(rest, size));
}

}  // namespace

Result<std::unique_ptr<RunRecord>> RunRecord::make() {
  void* const memory = mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    return fail(std::string("no memory to share: ") + std::strerror(errno));
  }
  return std::unique_ptr<RunRecord>(new RunRecord(memory));
}

RunRecord::~RunRecord() {
  if (head_ != &alone_) {
    munmap(head_, kSize);
  }
}

void RunRecord::add(Entry::Kind kind, std::string_view file, const Outcome& outcome) {
  std::string bytes(1, static_cast<char>(kind));
  bytes.append(reinterpret_cast<const char*>(&outcome.seconds), sizeof outcome.seconds);
  for (const std::string_view text : {file, std::string_view(outcome.status), std::string_view(outcome.name),
                                      std::string_view(outcome.place), std::string_view(outcome.message)}) {
    put(bytes, text, kLongest);
  }
  const std::lock_guard lock(mutex_);
  const std::size_t used = head_->used.load(std::memory_order_relaxed);
  if (bytes.size() <= room_ - used) {
    std::memcpy(text() + used, bytes.data(), bytes.size());
    head_->used.store(used + bytes.size(), std::memory_order_release);
  }
}

void RunRecord::begin(std::string_view file, std::string_view name, std::string_view place) {
  add(Entry::Kind::kBegun, file, {"", std::string(name), std::string(place), "", 0});
}

void RunRecord::end(std::string_view file, const Outcome& outcome) {
  add(Entry::Kind::kEnded, file, outcome);
}

void RunRecord::file_done(std::string_view file) {
  add(Entry::Kind::kDone, file, {});
}

std::vector<RunRecord::Entry> RunRecord::entries() const {
  std::vector<Entry> list;
  const std::size_t used = std::min(head_->used.load(std::memory_order_acquire), room_);
  std::string_view rest(text(), used);
  while (!rest.empty()) {
    Entry& entry = list.emplace_back();
    entry.kind = static_cast<Entry::Kind>(take(rest, 1).front());
    if (const auto seconds = take(rest, sizeof entry.outcome.seconds); !seconds.empty()) {
      std::memcpy(&entry.outcome.seconds, seconds.data(), seconds.size());
    }
    entry.file = take_text(rest);
    entry.outcome.status = take_text(rest);
    entry.outcome.name = take_text(rest);
    entry.outcome.place = take_text(rest);
    entry.outcome.message = take_text(rest);
  }
  return list;
}

std::vector<RunRecord::Entry> RunRecord::unfinished() const {
  std::map<std::string, Entry> running;
  for (Entry& entry : entries()) {
    switch (entry.kind) {
      case Entry::Kind::kBegun:
        running[entry.file] = entry;
        break;
      case Entry::Kind::kEnded:
        running[entry.file].outcome = {"", "", entry.file, "", 0};
        running[entry.file].file = entry.file;
        break;
      case Entry::Kind::kDone:
        running.erase(entry.file);
        break;
    }
  }
  std::vector<Entry> list;
  for (auto& [file, entry] : running) {
    list.push_back(std::move(entry));
  }
  return list;
}

}  // namespace perigee::server
