#include "profiler/symbols.h"

#include <backtrace.h>
#include <cxxabi.h>

#include <cstdlib>
#include <string_view>

namespace perigee::profiler {

namespace {

// libbacktrace keeps what it read for as long as the process lives, so there is one for all.
backtrace_state* shared_state() {
  static backtrace_state* state = backtrace_create_state(
      nullptr, 1, [](void*, const char*, int) {}, nullptr);
  return state;
}

void ignore_error(void*, const char*, int) {}

// Sources are named from the tree's top on, whoever built them.
std::string source_name(const char* file) {
  if (file == nullptr) {
    return "";
  }
  const std::string_view path(file);
  const std::size_t engine = path.rfind("/engine/");
  return std::string(engine == std::string_view::npos ? path : path.substr(engine + 1));
}

int take_line(void* frames, std::uintptr_t, const char* file, int line, const char* function) {
  if (function != nullptr) {
    Frame frame;
    frame.name = plain_name(function);
    frame.file = source_name(file);
    frame.line = line;
    static_cast<std::vector<Frame>*>(frames)->push_back(std::move(frame));
  }
  return 0;
}

void take_symbol(void* frames, std::uintptr_t, const char* symbol, std::uintptr_t, std::uintptr_t) {
  if (symbol != nullptr) {
    Frame frame;
    frame.name = plain_name(symbol);
    static_cast<std::vector<Frame>*>(frames)->push_back(std::move(frame));
  }
}

struct Free {
  void operator()(char* text) const { std::free(text); }
};

// The end of the bracketed part that begins at `from`.
std::size_t end_of_brackets(std::string_view text, std::size_t from, char open, char close) {
  int depth = 0;
  for (std::size_t at = from; at < text.size(); ++at) {
    if (text[at] == open) {
      ++depth;
    } else if (text[at] == close && --depth == 0) {
      return at + 1;
    }
  }
  return text.size();
}

bool is_operator(std::string_view before) {
  constexpr std::string_view kWord = "operator";
  return before.size() >= kWord.size() && before.substr(before.size() - kWord.size()) == kWord;
}

// Without "(parameters)" and "<arguments>", but "(anonymous namespace)" and operators stay.
std::string without_brackets(std::string_view text) {
  constexpr std::string_view kAnonymous = "(anonymous namespace)";
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    if (text.substr(at, kAnonymous.size()) == kAnonymous) {
      out += kAnonymous;
      at += kAnonymous.size();
    } else if (is_operator(out)) {
      out += text[at++];
    } else if (text[at] == '<') {
      at = end_of_brackets(text, at, '<', '>');
    } else if (text[at] == '(') {
      at = end_of_brackets(text, at, '(', ')');
    } else if (text[at] == '[') {
      at = end_of_brackets(text, at, '[', ']');
    } else {
      out += text[at++];
    }
  }
  return out;
}

std::string trimmed(std::string text) {
  constexpr std::string_view kConst = " const";
  while (!text.empty() && text.back() == ' ') {
    text.pop_back();
  }
  if (text.size() > kConst.size() && text.ends_with(kConst)) {
    text.resize(text.size() - kConst.size());
  }
  const std::size_t type = text.rfind(' ');  // a template's return type
  return type == std::string::npos || text.find("(anonymous namespace)") != std::string::npos ||
                 text.find("operator") < type
             ? text
             : text.substr(type + 1);
}

}  // namespace

std::string plain_name(const std::string& symbol) {
  int status = 0;
  const std::unique_ptr<char, Free> text(abi::__cxa_demangle(symbol.c_str(), nullptr, nullptr, &status));
  if (status != 0 || text == nullptr) {
    return symbol.substr(0, symbol.find('@'));
  }
  return trimmed(without_brackets(text.get()));
}

Symbols::Symbols() : state_(shared_state()) {}

Symbols::~Symbols() = default;

const std::vector<Frame>& Symbols::at(std::uintptr_t pc) {
  const auto known = known_.find(pc);
  return known != known_.end() ? known->second : known_.emplace(pc, find(pc)).first->second;
}

std::vector<Frame> Symbols::find(std::uintptr_t pc) const {
  std::vector<Frame> frames;
  std::vector<Frame> symbol;
  auto* state = static_cast<backtrace_state*>(state_);
  backtrace_pcinfo(state, pc, take_line, ignore_error, &frames);
  backtrace_syminfo(state, pc, take_symbol, ignore_error, &symbol);
  if (frames.empty()) {
    return symbol;
  }
  if (!symbol.empty()) {
    frames.back().name = symbol[0].name;  // line tables leave out the namespaces of what is local to a file
  }
  return frames;
}

}  // namespace perigee::profiler
