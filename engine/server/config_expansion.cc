#include "server/config_expansion.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "base/escape.h"

namespace perigee::server {
namespace {

constexpr std::size_t kMostSecretBytes = std::size_t{1} << 20;

struct FileCloser {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

bool is_variable_name(std::string_view name) {
  constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";
  return !name.empty() && name.find_first_not_of(kLetters) == std::string_view::npos &&
         (name.front() < '0' || name.front() > '9');
}

std::string quoted(std::string_view name) {
  return "'${" + std::string(name) + "}'";
}

Result<std::string> file_value(std::string_view name, const std::string& path) {
  Result<std::string> text = read_file(path, kMostSecretBytes);
  if (!text) {
    return fail(quoted(name) + " cannot be read: " + text.error().message);
  }
  if (text->ends_with('\n')) {
    text->resize(text->size() - (text->ends_with("\r\n") ? 2 : 1));
  }
  return text;
}

Result<std::string> environment_value(std::string_view name) {
  if (!is_variable_name(name)) {
    return fail(quoted(name) + " is neither ${NAME} nor ${file:PATH}; write $${ for a plain ${");
  }
  const char* value = std::getenv(std::string(name).c_str());
  return value != nullptr ? Result<std::string>(value) : fail(quoted(name) + " is not set in the environment");
}

Result<std::string> value_of(std::string_view name) {
  Result<std::string> value =
      name.starts_with("file:") ? file_value(name, std::string(name.substr(5))) : environment_value(name);
  if (value && !is_utf8(*value)) {
    return fail(quoted(name) + " holds bytes that are no UTF-8");
  }
  return value;
}

}  // namespace

Result<std::string> expand(std::string_view text) {
  std::string out;
  for (;;) {
    const std::size_t start = std::min(text.find("${"), text.size());
    const std::string_view before = text.substr(0, start);
    out += before;
    text.remove_prefix(start);
    if (text.empty()) {
      return out;
    }
    if (before.ends_with('$')) {  // "$${": one dollar is in `out` already
      out += '{';
      text.remove_prefix(2);
      continue;
    }
    const std::size_t end = text.find('}');
    if (end == std::string_view::npos) {
      return fail("'${' has no '}'; write $${ for a plain ${");
    }
    out += TRY(value_of(text.substr(2, end - 2)));
    text.remove_prefix(end + 1);
  }
}

Result<std::string> read_file(const std::string& path, std::size_t limit) {
  const std::unique_ptr<std::FILE, FileCloser> file(std::fopen(path.c_str(), "re"));
  if (file == nullptr) {
    return fail(std::strerror(errno));
  }
  std::string text;
  char chunk[4096];
  while (const std::size_t size = std::fread(chunk, 1, sizeof chunk, file.get())) {
    text.append(chunk, size);
    if (text.size() > limit) {
      return fail("it is larger than " + std::to_string(limit) + " bytes");
    }
  }
  return std::ferror(file.get()) == 0 ? Result<std::string>(std::move(text)) : fail(std::strerror(errno));
}

}  // namespace perigee::server
