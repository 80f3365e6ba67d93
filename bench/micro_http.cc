// Parts of engine/http: the scanner of heads beside http-parser, the router, header fields and answers' heads.
#include <benchmark/benchmark.h>
#include <http_parser.h>

#include <string>

#include "base/buffer_pool.h"
#include "base/byte_buffer.h"
#include "http/head_scanner.h"
#include "http/response.h"
#include "http/router.h"

namespace {

using perigee::http::HeadLimits;
using perigee::http::HeadScanner;
using perigee::http::KnownField;
using perigee::http::Method;
using perigee::http::RequestHead;
using perigee::http::ResponseSerializer;
using perigee::http::Router;

const std::string kHello = "GET / HTTP/1.1\r\nHost: localhost:8080\r\n\r\n";
const std::string kBrowser =
    "GET /users/1234?color=green HTTP/1.1\r\nHost: localhost:8080\r\nConnection: keep-alive\r\n"
    "Upgrade-Insecure-Requests: 1\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 "
    "Firefox/128.0\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\nAccept-Encoding: gzip, deflate, br\r\n"
    "Accept-Language: en-US,en;q=0.5\r\nCookie: uid=0123456789abcdef; t=1\r\n\r\n";

void scan(benchmark::State& state, const std::string& bytes) {
  HeadScanner scanner;
  const HeadLimits limits;
  RequestHead head;
  for (auto _ : state) {
    if (scanner.scan(bytes.data(), bytes.size(), limits, head) != HeadScanner::Verdict::kComplete) {
      state.SkipWithError("refused");
      break;
    }
  }
}

void head_scanner_hello(benchmark::State& state) {
  scan(state, kHello);
}
void head_scanner_browser(benchmark::State& state) {
  scan(state, kBrowser);
}

int on_event(http_parser*) {
  return 0;
}
int on_data(http_parser*, const char*, std::size_t) {
  return 0;
}

void parse(benchmark::State& state, const std::string& bytes) {
  http_parser_settings settings;
  http_parser_settings_init(&settings);
  settings.on_message_begin = settings.on_headers_complete = settings.on_message_complete = on_event;
  settings.on_url = settings.on_header_field = settings.on_header_value = settings.on_body = on_data;
  http_parser parser;
  http_parser_init(&parser, HTTP_REQUEST);
  for (auto _ : state) {
    if (http_parser_execute(&parser, &settings, bytes.data(), bytes.size()) != bytes.size()) {
      state.SkipWithError("refused");
      break;
    }
  }
}

void http_parser_hello(benchmark::State& state) {
  parse(state, kHello);
}
void http_parser_browser(benchmark::State& state) {
  parse(state, kBrowser);
}

// A path with a typed parameter, among so many routes of that kind.
void router(benchmark::State& state) {
  Router routes;
  for (int i = 0; i < state.range(0); ++i) {
    const std::string pattern = "/api/v1/resource" + std::to_string(i) + "/{id:integer}/items";
    if (!routes.add("GET", pattern, i, "bench")) {
      state.SkipWithError("a route was refused");
    }
  }
  const std::string path = "/api/v1/resource" + std::to_string(state.range(0) / 2) + "/1234/items";
  Router::Parameters parameters;
  for (auto _ : state) {
    if (routes.match(Method::kGet, "GET", path, parameters).outcome != Router::Outcome::kFound) {
      state.SkipWithError("not found");
      break;
    }
  }
}

// A field that has a slot, and one that is searched for by its name.
void header_known(benchmark::State& state) {
  HeadScanner scanner;
  RequestHead head;
  (void)scanner.scan(kBrowser.data(), kBrowser.size(), {}, head);
  for (auto _ : state) {
    benchmark::DoNotOptimize(head.field(KnownField::kCookie));
  }
}

void header_by_name(benchmark::State& state) {
  HeadScanner scanner;
  RequestHead head;
  (void)scanner.scan(kBrowser.data(), kBrowser.size(), {}, head);
  for (auto _ : state) {
    if (head.find("Upgrade-Insecure-Requests") == RequestHead::kAbsent) {
      state.SkipWithError("absent");
      break;
    }
  }
}

// The head of an answer with two fields more than usual.
void answer_head(benchmark::State& state) {
  perigee::BufferPool pool;
  perigee::ByteBuffer out(pool);
  ResponseSerializer serializer;
  serializer.set_time(1'700'000'000);
  perigee::http::ResponseHead head;
  head.content_type = perigee::http::kPlainText;
  head.fields = "x-user: 0123456789abcdef\r\nx-color: green\r\n";
  head.length = 13;
  for (auto _ : state) {
    serializer.append(out, head, "Hello, World!");
    out.consume(out.size());
    out.release_if_empty();
  }
}

void answer_plain(benchmark::State& state) {
  perigee::BufferPool pool;
  perigee::ByteBuffer out(pool);
  ResponseSerializer serializer;
  serializer.set_time(1'700'000'000);
  for (auto _ : state) {
    serializer.append_usual(out, true, "", "Hello, World!");
    out.consume(out.size());
    out.release_if_empty();
  }
}

BENCHMARK(head_scanner_hello);
BENCHMARK(head_scanner_browser);
BENCHMARK(http_parser_hello);
BENCHMARK(http_parser_browser);
BENCHMARK(router)->ArgName("routes")->Arg(1)->Arg(500);
BENCHMARK(header_known);
BENCHMARK(header_by_name);
BENCHMARK(answer_head);
BENCHMARK(answer_plain);

}  // namespace
