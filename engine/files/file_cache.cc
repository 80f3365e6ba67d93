#include "files/file_cache.h"

#include <iterator>
#include <utility>

#include "http/file_type.h"

namespace perigee::files {
namespace {

constexpr std::string_view kBrotli = ".br";
constexpr std::string_view kGzip = ".gz";
constexpr std::int64_t kSecond = 1'000'000'000;  // tools that compress keep no finer time

std::size_t memory_of(const FileSet& files) {
  std::size_t sum = 0;
  for (const auto* file : {files.plain.get(), files.brotli.get(), files.gzip.get()}) {
    sum += file != nullptr && file->in_memory() ? file->content().size() : 0;
  }
  return sum;
}

std::shared_ptr<const ServedFile> neighbour(const std::string& folder, const std::string& path, const FileSet& files,
                                            std::string_view ending, std::size_t small) {
  auto opened = ServedFile::open(folder, path + std::string(ending), small, ending);
  const bool current = opened && (*opened)->modified() >= files.plain->modified();
  return current ? *opened : nullptr;
}

// Whether what stands at a path is still that file; null: still none that counts.
bool same(const std::string& folder, const std::string& path, const ServedFile* file, const ServedFile& plain) {
  const auto now = ServedFile::identify(folder, path);
  if (file == nullptr) {
    return !now || now->modified_ns / kSecond < plain.modified();
  }
  return now && *now == file->identity();
}

}  // namespace

void FileCache::set_limits(const Limits& limits) {
  limits_ = limits;
  while (!entries_.empty()) {  // contents and descriptors may have changed places
    remove(entries_.begin());
  }
}

FileCache::Found FileCache::find(std::string_view folder, std::string_view path, bool precompressed, Milliseconds now) {
  key_.assign(precompressed ? "+" : "-").append(folder).append(1, '\0').append(path);
  const auto place = places_.find(key_);
  if (place == places_.end()) {
    return load(folder, path, precompressed, now);
  }
  const Entries::iterator entry = place->second;
  if (now - entry->checked >= limits_.fresh) {
    if (!unchanged(folder, path, precompressed, entry->files)) {
      remove(entry);
      return load(folder, path, precompressed, now);
    }
    entry->checked = now;
  }
  entries_.splice(entries_.begin(), entries_, entry);
  return {&entry->files, 0};
}

FileCache::Found FileCache::load(std::string_view folder, std::string_view path, bool precompressed, Milliseconds now) {
  const std::string root(folder);
  const std::string name(path);
  auto opened = ServedFile::open(root, name, limits_.small);
  if (!opened) {
    return {nullptr, opened.error()};
  }
  last_ = {*std::move(opened), nullptr, nullptr, http::file_type(path)};
  if (precompressed) {
    last_.brotli = neighbour(root, name, last_, kBrotli, limits_.small);
    last_.gzip = neighbour(root, name, last_, kGzip, limits_.small);
  }
  const std::size_t memory = memory_of(last_);
  if (limits_.files == 0 || memory > limits_.memory) {
    return {&last_, 0};
  }
  entries_.push_front({key_, std::exchange(last_, {}), now, memory});
  places_.emplace(entries_.front().key, entries_.begin());
  memory_ += memory;
  shrink();
  return {&entries_.front().files, 0};
}

bool FileCache::unchanged(std::string_view folder, std::string_view path, bool precompressed,
                          const FileSet& files) const {
  const std::string root(folder);
  const std::string name(path);
  const ServedFile& plain = *files.plain;
  return same(root, name, &plain, plain) &&
         (!precompressed || (same(root, name + std::string(kBrotli), files.brotli.get(), plain) &&
                             same(root, name + std::string(kGzip), files.gzip.get(), plain)));
}

void FileCache::remove(Entries::iterator entry) {
  memory_ -= entry->memory;
  places_.erase(entry->key);
  entries_.erase(entry);
}

void FileCache::shrink() {
  while (entries_.size() > 1 && (entries_.size() > limits_.files || memory_ > limits_.memory)) {
    remove(std::prev(entries_.end()));
  }
}

}  // namespace perigee::files
