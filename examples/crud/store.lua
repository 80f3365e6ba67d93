-- Where the notes are: in this worker's memory, until it is reloaded. A database would stand behind the same functions.

local M = {}

local notes = {} -- by id; a note that was deleted is false
local last = 0

function M.get(id)
  return notes[id] or nil
end

function M.add(fields, author)
  last = last + 1
  notes[last] = { id = last, author = author, title = fields.title, text = fields.text, tags = fields.tags,
    state = fields.state }
  return notes[last]
end

function M.change(note, changes)
  for key, value in pairs(changes) do
    note[key] = value
  end
  return note
end

function M.remove(id)
  notes[id] = false
end

local function fits(note, wanted)
  if not note or wanted.state and note.state ~= wanted.state then
    return false
  elseif not wanted.tag then
    return true
  end
  for _, tag in ipairs(note.tags) do
    if tag == wanted.tag then
      return true
    end
  end
  return false
end

--- Up to `wanted.limit` notes older than `wanted.before`, the newest first, and the id of the last where more follow.
function M.page(wanted)
  local page = {}
  for id = math.min(last, (wanted.before or last + 1) - 1), 1, -1 do
    if fits(notes[id], wanted) then
      if #page == wanted.limit then
        return page, page[#page].id
      end
      page[#page + 1] = notes[id]
    end
  end
  return page
end

return M
