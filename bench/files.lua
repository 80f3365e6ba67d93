-- The app of bench/files.py: a folder, and nothing else.

local perigee = require "perigee"
local app = perigee.app()

app:static("/", "../build/bench/files")

return app
