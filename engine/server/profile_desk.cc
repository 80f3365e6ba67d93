#include "server/profile_desk.h"

#include <array>
#include <charconv>
#include <utility>
#include <vector>

#include "profiler/flame_tree.h"
#include "profiler/folded.h"
#include "profiler/pprof.h"
#include "profiler/top_table.h"

namespace perigee::server {

namespace {

using Form = ProfileRequest::Form;

constexpr std::array kForms = {std::pair{"pprof", Form::kPprof}, std::pair{"folded", Form::kFolded},
                               std::pair{"flame", Form::kFlame}, std::pair{"top", Form::kTop}};

constexpr std::size_t kTopRows = 30;

template <typename Table, typename Value>
bool read_word(const Table& table, std::string_view word, Value& value) {
  for (const auto& [name, meaning] : table) {
    if (word == name) {
      value = meaning;
      return true;
    }
  }
  return false;
}

bool read_kind(std::string_view word, profiler::ProfileKind& kind) {
  for (const profiler::ProfileKind known : profiler::kProfileKinds) {
    if (word == profiler::word_of(known)) {
      kind = known;
      return true;
    }
  }
  return false;
}

template <typename Number>
bool read_number(std::string_view word, Number& number) {
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  return error == std::errc() && end == word.data() + word.size();
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const std::size_t blank = std::min(text.find(' '), text.size());
    words.push_back(text.substr(0, blank));
    text.remove_prefix(std::min(blank + 1, text.size()));
  }
  return words;
}

}  // namespace

std::string write_profile(const profiler::Profile& profile, Form form) {
  const std::size_t time = profile.types().size() - 1;
  switch (form) {
    case Form::kPprof: {
      Result<std::string> bytes = profiler::write_pprof(profile);
      return bytes ? *std::move(bytes) : "!" + bytes.error().message;
    }
    case Form::kFolded:
      return profiler::write_folded(profile, time);
    case Form::kFlame:
      return profiler::write_flame_tree(profile, time);
    case Form::kTop:
      return profiler::write_top_table(profile, time, kTopRows);
  }
  return "";
}

Result<ProfileRequest> read_profile_request(std::string_view text) {
  const std::vector<std::string_view> words = words_of(text);
  ProfileRequest request;
  if (words.size() != 4) {
    return fail("a profile is asked for by kind, form, seconds and hertz");
  }
  if (!read_kind(words[0], request.kind)) {
    return fail("there is no profile of " + std::string(words[0]));
  }
  if (!read_word(kForms, words[1], request.form)) {
    return fail("a profile has no form " + std::string(words[1]));
  }
  if (!read_number(words[2], request.seconds) ||
      !(request.seconds > 0 && request.seconds <= ProfileRequest::kMostSeconds)) {
    return fail("a profile lasts more than 0 and at most 600 seconds");
  }
  if (!read_number(words[3], request.hertz) || request.hertz < 1 || request.hertz > profiler::Recorder::kMostHertz) {
    return fail("a profile takes 1 to 1000 samples a second");
  }
  return request;
}

void ProfileDesk::record(std::uint64_t number, std::string_view request, Done done) {
  if (const Result<> begun = begin(number, request, done); !begun) {
    done("!" + begun.error().message);
  }
}

Result<> ProfileDesk::begin(std::uint64_t number, std::string_view text, const Done& done) {
  const ProfileRequest request = TRY(read_profile_request(text));
  const std::lock_guard lock(under_way_->mutex);
  if (under_way_->recordings.size() >= kMostAtOnce) {
    return fail("too many recordings are under way: wait for one to end");
  }
  under_way_->recordings[number] =
      TRY(recorder_.record(request.kind, request.seconds, request.hertz,
                           [done, number, form = request.form, all = under_way_](const profiler::Profile& profile) {
                             std::string answer = write_profile(profile, form);
                             {
                               const std::lock_guard guard(all->mutex);
                               all->recordings.erase(number);
                             }
                             done(std::move(answer));
                           }));
  return {};
}

void ProfileDesk::forget(std::uint64_t number) {
  const std::lock_guard lock(under_way_->mutex);
  const auto found = under_way_->recordings.find(number);
  if (found != under_way_->recordings.end()) {
    recorder_.cancel(found->second);
    under_way_->recordings.erase(found);
  }
}

}  // namespace perigee::server
