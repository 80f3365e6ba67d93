#include "http/router.h"

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

using perigee::http::Method;
using perigee::http::method_of;
using perigee::http::Router;
using Outcome = perigee::http::Router::Outcome;

namespace {

struct Line {
  std::string method;
  std::string pattern;
};

/// A router whose routes are numbered from 0.
Router router_of(const std::vector<Line>& lines) {
  Router router;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto added =
        router.add(lines[i].method, lines[i].pattern, static_cast<std::int32_t>(i), "app.lua:" + std::to_string(i + 1));
    CAPTURE(lines[i].pattern, added ? "" : added.error().message);
    REQUIRE(added);
  }
  return router;
}

struct Found {
  explicit Found(const std::string& text) : path(std::make_unique<std::string>(text)) {}
  [[nodiscard]] std::string text(std::size_t index) const { return std::string(parameters.values[index].text.view()); }
  std::unique_ptr<std::string> path;  ///< what the parameters point into
  Router::Match match;
  Router::Parameters parameters;
};

Found find(const Router& router, const std::string& method, const std::string& path) {
  Found found(path);
  found.match = router.match(method_of(method), method, *found.path, found.parameters);
  return found;
}

std::int32_t route(const Router& router, const std::string& path, const std::string& method = "GET") {
  return find(router, method, path).match.route;
}

std::string error_of(const std::vector<Line>& lines, const Line& last) {
  Router router = router_of(lines);
  const auto added = router.add(last.method, last.pattern, 99, "app.lua:99");
  REQUIRE_FALSE(added);
  return added.error().message;
}

}  // namespace

TEST_CASE("router: a literal path is found, and only it") {
  const Router router = router_of({{"GET", "/"}, {"GET", "/a"}, {"GET", "/a/b"}, {"GET", "/a/"}});
  CHECK(route(router, "/") == 0);
  CHECK(route(router, "/a") == 1);
  CHECK(route(router, "/a/b") == 2);
  CHECK(route(router, "/a/") == 3);
  for (const char* path : {"/b", "/a/b/", "/a//b", "//", "/A", "", "a", "*"}) {
    CAPTURE(path);
    CHECK(find(router, "GET", path).match.outcome == Outcome::kNotFound);
  }
}

TEST_CASE("router: a literal path without the method leaves it to a route with parameters") {
  const Router router = router_of({{"GET", "/a/b"}, {"POST", "/a/{x}"}, {"PURGE", "/a/b"}, {"PURGE", "/{rest*}"}});
  CHECK(route(router, "/a/b") == 0);
  CHECK(route(router, "/a/b", "HEAD") == 0);
  const Found found = find(router, "POST", "/a/b");
  CHECK(found.match.route == 1);
  CHECK(found.parameters.count == 1);
  CHECK(found.text(0) == "b");
  CHECK(route(router, "/a/b", "PURGE") == 2);
  CHECK(route(router, "/a/c", "PURGE") == 3);
  CHECK(find(router, "GET", "/a/b").parameters.count == 0);
  CHECK(find(router, "PUT", "/a/b").match.outcome == Outcome::kMethodNotAllowed);
  CHECK(find(router, "PUT", "/a/b").match.allow == "GET, HEAD, POST, OPTIONS, PURGE");
}

TEST_CASE("router: a literal beats a typed parameter beats an untyped one beats a rest") {
  const Router router = router_of(
      {{"GET", "/{all*}"}, {"GET", "/{name}"}, {"GET", "/{id:integer}"}, {"GET", "/me"}, {"GET", "/{x:json}"}});
  CHECK(route(router, "/me") == 3);
  CHECK(route(router, "/7") == 2);
  CHECK(route(router, "/you") == 4);
  CHECK(route(router, "/a/b") == 0);
  CHECK(route(router, "/") == -1);
  CHECK(route(router_of({{"GET", "/{all*}"}, {"GET", "/{name}"}}), "/you") == 1);
}

TEST_CASE("router: of several types at one place the narrower is tried first") {
  const Router router = router_of({{"GET", "/{a:json}"},
                                   {"GET", "/{a:slug}"},
                                   {"GET", "/{a:keyword}"},
                                   {"GET", "/{a:date}"},
                                   {"GET", "/{a:uuid}"},
                                   {"GET", "/{a:number}"},
                                   {"GET", "/{a:integer}"},
                                   {"GET", "/{a:boolean}"}});
  CHECK(route(router, "/true") == 7);
  CHECK(route(router, "/12") == 6);
  CHECK(route(router, "/1.5") == 5);
  CHECK(route(router, "/123e4567-e89b-12d3-a456-426614174000") == 4);
  CHECK(route(router, "/2024-02-29") == 3);
  CHECK(route(router, "/word") == 2);
  CHECK(route(router, "/2024-02-30") == 1);
  CHECK(route(router, "/[1]") == 0);
}

TEST_CASE("router: parameters are texts within the path, numbers beside them") {
  const Router router = router_of({{"GET", "/u/{id:integer}/{flag:boolean}/{name}/{rest*}"}});
  const Found found = find(router, "GET", "/u/-42/true/x y/a//b/");
  REQUIRE(found.match.outcome == Outcome::kFound);
  REQUIRE(found.parameters.count == 4);
  CHECK(found.parameters.values[0].number == -42);
  CHECK(found.parameters.values[1].number == 1);
  CHECK(found.text(0) == "-42");
  CHECK(found.text(2) == "x y");
  CHECK(found.text(3) == "a//b/");
  CHECK(found.parameters.values[3].text.data == found.path->data() + 16);
}

TEST_CASE("router: a dead end is backed out of") {
  const Router router = router_of({{"GET", "/a/b/c"},
                                   {"GET", "/a/{x}/d"},
                                   {"GET", "/{y}/b/e"},
                                   {"GET", "/{z:slug}/{q}/{r:integer}"},
                                   {"GET", "/a/{rest*}"}});
  CHECK(route(router, "/a/b/c") == 0);
  CHECK(route(router, "/a/b/d") == 1);
  CHECK(route(router, "/a/b/e") == 4);
  CHECK(route(router, "/x/b/e") == 2);
  const Found found = find(router, "GET", "/x/b/7");
  CHECK(found.match.route == 3);
  CHECK(found.parameters.count == 3);
  CHECK(found.text(0) == "x");
  CHECK(found.parameters.values[2].number == 7);
}

TEST_CASE("router: an empty segment is no parameter and an empty rest no rest") {
  const Router router =
      router_of({{"GET", "/a/{x}"}, {"GET", "/a/{x}/b"}, {"GET", "/files/{path*}"}, {"GET", "/n/{x:json}"}});
  CHECK(route(router, "/a/") == -1);
  CHECK(route(router, "/a//b") == -1);
  CHECK(route(router, "/files/") == -1);
  CHECK(route(router, "/files") == -1);
  CHECK(route(router, "/n/") == -1);
  CHECK(find(router, "GET", "/n/").match.outcome == Outcome::kNotFound);
  CHECK(route(router, "/files//") == 2);
  CHECK(route(router, "/files/x/") == 2);
}

TEST_CASE("router: HEAD falls back to GET, and an exact method beats any") {
  const Router router = router_of(
      {{"GET", "/a"}, {"*", "/a"}, {"HEAD", "/b"}, {"GET", "/b"}, {"*", "/c"}, {"PURGE", "/c"}, {"OPTIONS", "/c"}});
  CHECK(route(router, "/a", "HEAD") == 0);
  CHECK(route(router, "/a", "GET") == 0);
  CHECK(route(router, "/a", "POST") == 1);
  CHECK(route(router, "/a", "OPTIONS") == 1);
  CHECK(route(router, "/a", "PURGE") == 1);
  CHECK(route(router, "/b", "HEAD") == 2);
  CHECK(route(router, "/c", "HEAD") == 4);
  CHECK(route(router, "/c", "PURGE") == 5);
  CHECK(route(router, "/c", "OPTIONS") == 6);
}

TEST_CASE("router: a less specific route answers the method that a more specific one lacks") {
  const Router router = router_of({{"GET", "/users/me"}, {"DELETE", "/users/{id}"}, {"*", "/{all*}"}});
  CHECK(route(router, "/users/me", "GET") == 0);
  CHECK(route(router, "/users/me", "DELETE") == 1);
  CHECK(route(router, "/users/me", "POST") == 2);
}

TEST_CASE("router: a method that no pattern of the path has is told which there are") {
  const Router router =
      router_of({{"GET", "/users/me"}, {"DELETE", "/users/{id}"}, {"PURGE", "/users/{id}"}, {"POST", "/x"}});
  const Found found = find(router, "PUT", "/users/me");
  CHECK(found.match.outcome == Outcome::kMethodNotAllowed);
  CHECK(found.match.route == -1);
  CHECK(found.match.allow == "GET, HEAD, DELETE, OPTIONS, PURGE");
  CHECK(find(router, "GET", "/users/you").match.allow == "DELETE, OPTIONS, PURGE");
  CHECK(find(router, "HEAD", "/x").match.allow == "POST, OPTIONS");
  CHECK(find(router, "BREW", "/x").match.outcome == Outcome::kMethodNotAllowed);
  CHECK(find(router, "GET", "/x").match.allow.data() == find(router, "PUT", "/x").match.allow.data());
}

TEST_CASE("router: OPTIONS is answered for every known path") {
  const Router router = router_of({{"GET", "/a"}, {"POST", "/{x}"}, {"GET", "/n/{id:integer}"}});
  const Found found = find(router, "OPTIONS", "/a");
  CHECK(found.match.outcome == Outcome::kOptions);
  CHECK(found.match.allow == "GET, HEAD, POST, OPTIONS");
  CHECK(find(router, "OPTIONS", "/n/x").match.outcome == Outcome::kOptions);
  CHECK(find(router, "OPTIONS", "/q/x").match.outcome == Outcome::kNotFound);
  CHECK(find(router, "OPTIONS", "*").match.outcome == Outcome::kNotFound);
}

TEST_CASE("router: a path that fails by a type alone names the parameter") {
  const Router router =
      router_of({{"GET", "/users/{id:integer}"}, {"POST", "/users/{uid:integer}"}, {"GET", "/d/{a:date}/{b:integer}"}});
  const Found found = find(router, "POST", "/users/abc");
  REQUIRE(found.match.outcome == Outcome::kBadParameter);
  CHECK(found.match.refused->name == "uid");
  CHECK(found.match.refused_text == "abc");
  CHECK(find(router, "HEAD", "/users/abc").match.refused->name == "id");
  CHECK(find(router, "GET", "/d/2024-01-01/x").match.refused->name == "b");
  CHECK(find(router, "GET", "/d/x/y").match.refused->name == "a");
  CHECK(find(router, "PUT", "/users/abc").match.outcome == Outcome::kMethodNotAllowed);
  CHECK(find(router, "GET", "/users/abc/x").match.outcome == Outcome::kNotFound);
  CHECK(find(router, "GET", "/users/").match.outcome == Outcome::kNotFound);
}

TEST_CASE("router: a path that another route takes is not a bad parameter") {
  const Router router = router_of(
      {{"GET", "/users/{id:integer}"}, {"POST", "/users/{name}"}, {"GET", "/x/{id:integer}"}, {"GET", "/x/{rest*}"}});
  CHECK(find(router, "GET", "/users/abc").match.outcome == Outcome::kMethodNotAllowed);
  CHECK(find(router, "GET", "/users/abc").match.allow == "POST, OPTIONS");
  CHECK(route(router, "/x/abc") == 3);
}

TEST_CASE("router: two routes that can never be told apart conflict, and both are named") {
  const std::string message = error_of({{"GET", "/users/{id}"}}, {"GET", "/users/{name:string}"});
  CHECK(message == "app.lua:99: route GET /users/{name:string} takes the same paths as GET /users/{id} at app.lua:1");
  error_of({{"*", "/a"}}, {"*", "/a"});
  error_of({{"PURGE", "/a"}}, {"PURGE", "/a"});
  error_of({{"GET", "/{a*}"}}, {"GET", "/{b*}"});
  router_of(
      {{"GET", "/a"}, {"*", "/a"}, {"POST", "/a"}, {"GET", "/{a:integer}"}, {"GET", "/{a:number}"}, {"GET", "/a/"}});
}

TEST_CASE("router: a mistaken pattern or method is explained") {
  const std::vector<std::pair<Line, std::string>> mistakes = {
      {{"GET", "users"}, "does not begin with a slash"},
      {{"GET", ""}, "does not begin with a slash"},
      {{"GET", "/caf\xe9"}, "it is not UTF-8"},
      {{"GET", "/{id:int}"}, "unknown type 'int', did you mean 'integer'?"},
      {{"GET", "/{id:interger}"}, "unknown type 'interger', did you mean 'integer'?"},
      {{"GET", "/{id:bool}"}, "did you mean 'boolean'?"},
      {{"GET", "/{id:nubmer}"}, "did you mean 'number'?"},
      {{"GET", "/{id:colour}"}, "unknown type 'colour'; the types are string, integer"},
      {{"GET", "/{id:}"}, "unknown type ''"},
      {{"GET", "/{a*}/b"}, "a rest parameter stands last"},
      {{"GET", "/{a*}/"}, "a rest parameter stands last"},
      {{"GET", "/{a:integer*}"}, "a rest parameter has no type"},
      {{"GET", "/{a"}, "unbalanced braces"},
      {{"GET", "/a}"}, "unbalanced braces"},
      {{"GET", "/}a{"}, "unbalanced braces"},
      {{"GET", "/{{a}}"}, "unbalanced braces"},
      {{"GET", "/{a/b}"}, "unbalanced braces"},
      {{"GET", "/a{b}"}, "a parameter takes a whole segment"},
      {{"GET", "/{a}{b}"}, "unbalanced braces"},
      {{"GET", "/{}"}, "a parameter's name"},
      {{"GET", "/{1a}"}, "a parameter's name"},
      {{"GET", "/{a b}"}, "a parameter's name"},
      {{"GET", "/{*}"}, "a parameter's name"},
      {{"GET", "/{a}/{a}"}, "two parameters are called 'a'"},
      {{"GET", "/{a}/{a*}"}, "two parameters are called 'a'"},
      {{"G T", "/a"}, "'G T' is no method"},
      {{"", "/a"}, "'' is no method"}};
  for (const auto& [line, expected] : mistakes) {
    CAPTURE(line.pattern);
    CHECK_THAT(error_of({}, line), Catch::Contains(expected) && Catch::StartsWith("app.lua:99: "));
  }
}

TEST_CASE("router: sixteen parameters fit and one more does not") {
  std::string pattern;
  std::string path;
  for (int i = 0; i < 16; ++i) {
    pattern += "/{p" + std::to_string(i) + "}";
    path += "/v" + std::to_string(i);
  }
  const Router router = router_of({{"GET", pattern}});
  const Found found = find(router, "GET", path);
  CHECK(found.parameters.count == 16);
  CHECK(found.text(15) == "v15");
  CHECK_THAT(error_of({}, {"GET", pattern + "/{more}"}), Catch::Contains("more than 16 parameters"));
}

TEST_CASE("router: five hundred routes are told apart") {
  std::vector<Line> lines;
  for (int i = 0; i < 500; ++i) {
    lines.push_back({"GET", "/resource" + std::to_string(i) + "/{id:integer}"});
    lines.push_back({"GET", "/r" + std::to_string(i)});
  }
  const Router router = router_of(lines);
  for (int i = 0; i < 500; ++i) {
    CHECK(route(router, "/resource" + std::to_string(i) + "/7") == 2 * i);
    CHECK(route(router, "/r" + std::to_string(i)) == 2 * i + 1);
  }
  CHECK(route(router, "/resource500/7") == -1);
}

TEST_CASE("router: many extension methods are told apart, too many are refused") {
  Router router;
  for (int i = 0; i < 50; ++i) {
    REQUIRE(router.add("M" + std::to_string(i), "/", i, "app.lua:1"));
  }
  CHECK(find(router, "M49", "/").match.route == 49);
  CHECK_FALSE(router.add("M50", "/", 50, "app.lua:1"));
  CHECK_THAT(std::string(find(router, "GET", "/").match.allow),
             Catch::StartsWith("OPTIONS, M0, M1") && Catch::EndsWith("M49"));
}

TEST_CASE("router: a moved router keeps its routes") {
  Router first = router_of({{"GET", "/a"}});
  Router second = std::move(first);
  CHECK(route(second, "/a") == 0);
}

TEST_CASE("router: the app's own types take any text, after the others and before none") {
  perigee::http::Router router;
  router.set_custom_types({"game", "player"});
  REQUIRE(router.add("GET", "/{x}", 0, "a:1"));
  REQUIRE(router.add("GET", "/{x:player}", 1, "a:2"));
  REQUIRE(router.add("GET", "/{x:game}", 2, "a:3"));
  REQUIRE(router.add("GET", "/{x:integer}", 3, "a:4"));
  CHECK_FALSE(router.add("GET", "/{y:game}", 4, "a:5"));
  const auto unknown = router.add("GET", "/{y:gam}", 4, "a:5");
  REQUIRE_FALSE(unknown);
  perigee::http::Router::Parameters parameters;
  std::vector<std::int32_t> refused;
  for (const std::int32_t next : {3, 2, 1, 0}) {
    const auto match = router.match_again(perigee::http::Method::kGet, "GET", "/7", parameters, refused);
    REQUIRE(match.outcome == perigee::http::Router::Outcome::kFound);
    CHECK(match.route == next);
    CHECK(parameters.count == 1);
    refused.push_back(match.route);
  }
  CHECK(router.match_again(perigee::http::Method::kGet, "GET", "/7", parameters, refused).outcome ==
        perigee::http::Router::Outcome::kNotFound);
  CHECK(router.match(perigee::http::Method::kGet, "GET", "/x", parameters).route == 2);
}

TEST_CASE("router: a path that takes no search is found as a search finds it") {
  const Router router = router_of({{"GET", "/"},
                                   {"GET", "/a"},
                                   {"POST", "/a"},
                                   {"GET", "/a/b"},
                                   {"GET", "/{x}/c"},
                                   {"GET", "/{n:integer}/d"},
                                   {"GET", "/{n:integer}/{m:number}"},
                                   {"*", "/{n:integer}/{s}/"},
                                   {"GET", "/a/{s:slug}/{rest*}"},
                                   {"GET", "/e/{rest*}"},
                                   {"HEAD", "/e/{x}"},
                                   {"GET", "/{b:boolean}/{rest*}"}});
  const std::vector<std::string> segments = {"", "a", "b", "c", "d", "e", "7", "-1", "1.5", "true", "A B", "a-b"};
  std::vector<std::string> paths = {"/"};
  for (std::size_t at = 0; at < paths.size() && paths[at].size() < 9; ++at) {
    for (const std::string& segment : segments) {
      paths.push_back(paths[at] == "/" ? "/" + segment : paths[at] + "/" + segment);
    }
  }
  std::size_t hits = 0;
  for (const std::string& path : paths) {
    for (const std::string method : {"GET", "HEAD", "POST", "DELETE"}) {
      const Found quick = find(router, method, path);
      Router::Parameters parameters;
      const Router::Match slow = router.match_again(method_of(method), method, path, parameters, {});
      CAPTURE(path, method);
      REQUIRE((quick.match.outcome == Outcome::kFound) == (slow.outcome == Outcome::kFound));
      REQUIRE(quick.match.route == slow.route);
      if (slow.outcome == Outcome::kFound) {
        ++hits;
        REQUIRE(quick.parameters.count == parameters.count);
        for (std::uint32_t i = 0; i < parameters.count; ++i) {
          REQUIRE(quick.text(i) == parameters.values[i].text.view());
          REQUIRE(quick.parameters.values[i].number == parameters.values[i].number);
        }
      }
    }
  }
  CHECK(hits > 500);
}

TEST_CASE("router: a literal and a rest may follow on fifteen parameters") {
  std::string pattern;
  std::string path;
  for (int i = 1; i < 16; ++i) {
    pattern += "/{p" + std::to_string(i) + "}";
    path += "/" + std::to_string(i);
  }
  const Router router = router_of({{"GET", pattern + "/{last}/end"}, {"GET", pattern + "/{rest*}"}});
  CHECK(route(router, path + "/16/end") == 0);
  CHECK(route(router, path + "/16/17") == 1);
  CHECK(route(router, path + "/16/end/more") == 1);
  CHECK(find(router, "GET", path + "/16/17").text(15) == "16/17");
  CHECK(route(router, path) == -1);
}
