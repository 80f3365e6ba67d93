-- luacheck's settings: LuaJIT's own globals, none of ours.
std = "luajit"
max_line_length = 120
globals = {}
files["lua/perigee/meta"] = { ignore = { "21.", "22.", "23." } }
files["**/*_spec.lua"] = { std = "luajit+busted" }
files["**/*_test.lua"] = { std = "luajit+busted" }
files["**/*_bench.lua"] = { read_globals = { "bench" } }
