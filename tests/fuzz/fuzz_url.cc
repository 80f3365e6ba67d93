// Decoders hold to what they promise: paths are clean, forms no longer than their text, cookies lie inside the field.

#include <optional>
#include <string>
#include <string_view>

#include "base/escape.h"
#include "fuzz_check.h"
#include "http/cookie.h"
#include "http/field_syntax.h"
#include "http/path_type.h"
#include "http/problem.h"
#include "http/url.h"

using perigee::fuzz::check;
using perigee::fuzz::lies_within;

namespace {

void check_path(std::string_view text) {
  const auto path = perigee::http::decode_path(text);
  if (!path) {
    return;
  }
  check((*path)[0] == '/', "a path begins with a slash");
  check(path->size() <= text.size() + 1, "decoding does not lengthen a path");
  check(path->find('\0') == std::string::npos && path->find('\\') == std::string::npos, "a path hides nothing");
  const std::string framed = *path + "/";
  check(framed.find("/../") == std::string::npos && framed.find("/./") == std::string::npos, "no dot segment is left");
}

std::string decoded(std::string_view text) {
  std::string out(text.size(), '\0');
  out.resize(perigee::http::form_decode(text, out.data()));
  return out;
}

// Looking one value up finds what walking all pairs does.
void check_finds(std::string_view text, std::string_view name) {
  std::optional<std::string> expected;
  for (perigee::http::FormPairs pairs(text); !expected && pairs.next();) {
    if (decoded(pairs.raw_name()) == name) {
      expected = decoded(pairs.raw_value());
    }
  }
  std::string room;
  check(perigee::http::find_form_value(text, name, room) == expected, "a form's value is found");
  for (std::size_t cut = 0; cut < text.size() && cut < 32; ++cut) {
    const std::string_view shorter = text.substr(0, cut);
    expected.reset();
    for (perigee::http::FormPairs pairs(text); !expected && pairs.next();) {
      if (decoded(pairs.raw_name()) == shorter) {
        expected = decoded(pairs.raw_value());
      }
    }
    check(perigee::http::find_form_value(text, shorter, room) == expected, "a form's value is found by a short name");
    std::optional<std::string_view> cookie;
    for (perigee::http::CookiePairs pairs(text); !cookie && pairs.next();) {
      if (pairs.name() == shorter) {
        cookie = pairs.value();
      }
    }
    check(perigee::http::find_cookie(text, shorter) == cookie, "a cookie is found");
  }
}

void check_form(std::string_view text) {
  std::string out(text.size() + 1, '\x55');
  const std::size_t size = perigee::http::form_decode(text, out.data());
  check(size <= text.size() && out[text.size()] == '\x55', "decoding does not lengthen a form");
  check(perigee::http::needs_form_decoding(text) == (out.substr(0, size) != text), "it is known beforehand");
  perigee::http::FormPairs pairs(text);
  while (pairs.next()) {
    check(lies_within(pairs.raw_name(), text) && lies_within(pairs.raw_value(), text), "pairs lie within the form");
  }
  check_finds(text, out.substr(0, size));
  const std::string encoded = perigee::http::percent_encode(text);
  out.resize(encoded.size());
  out.resize(perigee::http::form_decode(encoded, out.data()));
  check(out == text, "what was encoded decodes to itself");
}

void check_cookies(std::string_view text) {
  perigee::http::CookiePairs pairs(text);
  while (pairs.next()) {
    check(lies_within(pairs.name(), text) && lies_within(pairs.value(), text), "pairs lie within the field");
  }
  perigee::http::SetCookie cookie;
  cookie.name = text.substr(0, text.size() / 2);
  cookie.value = text.substr(text.size() / 2);
  if (const auto line = perigee::http::set_cookie_line(cookie)) {
    check(line->find_first_of("\r\n") == line->size() - 2, "a cookie is one line");
  }
}

void check_texts(std::string_view text) {
  double number = 0;
  for (int type = 0; type <= static_cast<int>(perigee::http::PathType::kSlug); ++type) {
    static_cast<void>(perigee::http::parse_path_value(static_cast<perigee::http::PathType>(type), text, number));
  }
  static_cast<void>(perigee::http::is_host(text));
  std::string json;
  perigee::append_json_string(json, text);
  check(json.size() >= text.size() + 2, "a JSON string keeps what it is made of");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const perigee::fuzz::ExactCopy copy(perigee::fuzz::text_of(data, size));
  check_path(copy.view());
  check_form(copy.view());
  check_cookies(copy.view());
  check_texts(copy.view());
  return 0;
}
