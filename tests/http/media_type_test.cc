#include "http/media_type.h"

#include <catch2/catch.hpp>

using perigee::http::is_json_type;
using perigee::http::media_type;

TEST_CASE("media type: parameters and white space are left out") {
  CHECK(media_type("application/json") == "application/json");
  CHECK(media_type("Application/JSON ; charset=utf-8") == "Application/JSON");
  CHECK(media_type("\ttext/html;a=b;c=d") == "text/html");
  CHECK(media_type("") == "");
  CHECK(media_type(";") == "");
}

TEST_CASE("media type: JSON is application/json or ends in +json") {
  for (const char* type : {"application/json", "APPLICATION/json", "application/problem+json", "image/x+JSON"}) {
    CHECK(is_json_type(type));
  }
  for (const char* type :
       {"", "json", "+json", "a/b", "text/json", "application/jsonp", "application/x-json", "a+json"}) {
    CHECK_FALSE(is_json_type(type));
  }
}
