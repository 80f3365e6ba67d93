local core = require "perigee.core"
local error_table = require "admin.error_table"
local perigee = require "perigee"
local spec = require "spec"
local describe, it, equal = spec.describe, spec.it, spec.equal

describe("perigee.errors", function()
  it("lists nothing where nothing went wrong", function()
    equal(0, #perigee.errors())
  end)

  it("lists a failed call with its host, the most frequent first", function()
    core.note_failure("once.example", "closed")
    core.note_failure("db.example", "timeout after 3 s")
    core.note_failure("other.example", "timeout after 4 s")
    core.note_failure("db.example", "timeout after 5 s")
    local kinds = perigee.errors()
    equal(2, #kinds)
    equal("timeout after # s", kinds[1].signature)
    equal("timeout after 3 s", kinds[1].message)
    equal(3, kinds[1].count)
    equal(2, kinds[1].hosts["db.example"])
    equal(1, kinds[1].hosts["other.example"])
    equal(true, math.abs(kinds[1].last_seen - perigee.now()) < 60)
    equal("closed", kinds[2].signature)
  end)
end)

describe("the table of errors", function()
  it("has a line a kind, with where it happened below", function()
    local text = error_table.text {
      errors = {
        { signature = "no user #", count = 12, first_seen = 0, last_seen = 86399, sample = "GET /users/7",
          routes = { ["GET /users/{id}"] = 11, ["POST /users"] = 1 }, hosts = {} },
        { signature = "two\nlines\27[2J\194\155m\226\128\168.", count = 1, first_seen = 0, last_seen = 0,
          sample = "", routes = {}, hosts = { db = 1 } },
      },
      total = 13, ignored = 2, forgotten_kinds = 0,
    }
    equal([[
    COUNT  FIRST (UTC)          LAST (UTC)           ERROR
       12  1970-01-01 00:00:00  1970-01-01 23:59:59  no user #
                                                     in GET /users/{id} (11), POST /users (1)
                                                     as in GET /users/7
        1  1970-01-01 00:00:00  1970-01-01 00:00:00  two?lines?[2J?m?.
                                                     to db (1)
13 errors, 2 ignored, 0 kinds forgotten
]], text)
  end)
end)
