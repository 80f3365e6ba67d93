-- Sentences of words with dots or underscores between them: assert.is_not.equal, match.is_string.

local place = require "perigee.test.place"

local M = {}

-- Words that only make a sentence.
local FILLERS = { is = true, are = true, was = true, has = true, have = true, does = true, be = true, a = true,
  an = true, to = true, returned = true }
local NEGATIONS = { ["not"] = true, no = true }

-- "is_not_nil" -> "nil", true; nil where the words are none of `known`, or not a whole one yet, and the unknown rest.
local function parse(text, known)
  local negated, rest = false, text
  while rest ~= "" do
    if known[rest] then
      return rest, negated
    end
    local word, after = rest:match("^([^_]*)_?(.*)$")
    if NEGATIONS[word] then
      negated = not negated
    elseif not FILLERS[word] then
      for name in pairs(known) do
        if name:sub(1, #rest + 1) == rest .. "_" then
          return nil, negated -- the next word makes it one
        end
      end
      return nil, negated, rest
    end
    rest = after
  end
  return nil, negated
end

local Sentence = {}

local function extended(sentence, word)
  local text, own = rawget(sentence, "text"), rawget(sentence, "own")
  -- Capitals do not matter: "true" alone is a word of Lua's.
  text = (text == "" and word or text .. "_" .. word):lower()
  local _, _, unknown = parse(text, own.known)
  if unknown then
    place.raise("%s has no '%s'", own.name, unknown)
  end
  return setmetatable({ text = text, own = own }, Sentence)
end

Sentence.__index = extended

function Sentence:__call(...)
  local text, own = rawget(self, "text"), rawget(self, "own")
  local name, negated = parse(text, own.known)
  if name then
    return own.call(name, negated, ...)
  elseif text == "" and own.call_empty then
    return own.call_empty(...)
  end
  place.raise("%s.%s is no whole %s", own.name, (text:gsub("_", ".")), own.kind)
end

--- The beginning of sentences, which end in one of the known words.
---@param own { name: string, kind: string, known: table, call: function, call_empty?: function }
function M.sentence(own)
  return setmetatable({ text = "", own = own }, Sentence)
end

return M
