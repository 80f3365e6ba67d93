-- Writes the code that checks values against types; spec_code.lua puts the pieces together. For each form that values
-- come in, a writer has a module that teaches it.

require "perigee.checks_text"
require "perigee.checks_json"

return { writer = require("perigee.checks_writer").new }
