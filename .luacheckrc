-- luacheck's settings: LuaJIT's own globals, none of ours.
std = "luajit"
max_line_length = 120
globals = {}
-- not (x >= y) is how a NaN is caught.
ignore = { "581" }
-- The two places where our own print, load and require take the stock ones' place.
files["lua/perigee/boot.lua"] = { ignore = { "121" } }
files["lua/perigee/modules.lua"] = { ignore = { "121" } }
files["lua/perigee/meta"] = { ignore = { "21.", "22.", "23." } }
files["**/*_spec.lua"] = { std = "luajit+busted" }
files["**/*_test.lua"] = { std = "luajit+busted" }
files["**/*_bench.lua"] = { read_globals = { "bench" } }
