#include "http/file_type.h"

#include <catch2/catch.hpp>
#include <string>
#include <utility>

using perigee::http::file_type;

TEST_CASE("file type: the last extension says it, in any case, with a charset for text") {
  const std::pair<const char*, const char*> cases[] = {{"index.html", "text/html; charset=utf-8"},
                                                       {"a/b.c/APP.JS", "text/javascript; charset=utf-8"},
                                                       {"x.tar.gz", "application/gzip"},
                                                       {"logo.svg", "image/svg+xml"},
                                                       {"site.webmanifest", "application/manifest+json"},
                                                       {"a.json", "application/json"},
                                                       {"font.woff2", "font/woff2"},
                                                       {"m.wasm", "application/wasm"},
                                                       {"notes.TXT", "text/plain; charset=utf-8"},
                                                       {".css", "text/css; charset=utf-8"},
                                                       {"3g2.3g2", "video/3gpp2"},
                                                       {"z.zst", "application/zstd"}};
  for (const auto& [name, expected] : cases) {
    CHECK(file_type(name) == expected);
  }
}

TEST_CASE("file type: what has no known extension is bytes") {
  for (const char* name : {"", "README", "a.", "a.unknown", "html", "dir.html/file", "a.extensionthatislong",
                           "a.h\xc3\xa4", ".", "a.html "}) {
    CHECK(file_type(name) == "application/octet-stream");
  }
}
