#include "profiler/place_table.h"

#include <catch2/catch.hpp>

using namespace perigee::profiler;

TEST_CASE("place table: places are kept once each, and an unknown id is the unknown place") {
  PlaceTable places;
  const std::uint32_t id = places.id("@app.lua", "handler", 3, 2);
  CHECK(places.id("@app.lua", "handler", 3, 2) == id);
  CHECK(places.id("@app.lua", "handler", 4, 2) != id);
  CHECK(places.place(id).source == "@app.lua");
  CHECK(places.place(99).name == "(unknown)");
}

TEST_CASE("place table: a function of the script is told by its place, one without by its name") {
  PlaceTable places;
  CHECK(places.id("@app.lua", "local f", 3, 2) == places.id("@app.lua", "field f", 3, 2));
  CHECK(places.id("=[C]", "gsub", -1, -1) != places.id("=[C]", "find", -1, -1));
}
