-- Uploads: a form with files, what was kept of it, and one without a form that is read as it comes.

local perigee = require "perigee"
local app = perigee.app()

local folder = perigee.config.uploads or "." -- relative to the working directory, and there already
local catalogue = folder .. "/catalogue.jsonl"
local page = perigee.template "files.html"

-- What was uploaded so far, on any worker: a line of JSON each.
local function entries()
  local list = perigee.array()
  local file = io.open(catalogue)
  for line in file and file:lines() or function() end do
    list[#list + 1] = perigee.decode(line)
  end
  if file then
    file:close()
  end
  return list
end

local function note(entry)
  local file = assert(io.open(catalogue, "a"))
  file:write(perigee.encode(entry), "\n")
  file:close()
end

app:get("/", function()
  return perigee.html(page, { files = entries() })
end)

app:get("/files", function()
  return entries()
end)

-- Large files go to disk while they arrive, so that 500 MB take no memory to speak of.
app:post("/files", { limits = { body = "500MB", time = 60 } }, function(req)
  local files = req:files()
  if #files == 0 then
    return perigee.problem(400, "choose a file")
  end
  for number, file in ipairs(files) do
    local kept = ("%s/%s-%d"):format(folder, req.id, number) -- a name of our own: the client's might be anything
    local ok, err = file:move(kept)
    if not ok then
      return nil, err
    end
    note { title = req.form.title, name = file.filename, type = file.type, size = file.size, kept = kept }
  end
  return perigee.redirect("/")
end)

-- Without a form: `curl -T notes.txt localhost:8080/count`. Nothing of it is kept.
app:put("/count", { limits = { body = "2GB", time = 60 } }, function(req)
  local size, lines = 0, 0
  while true do
    local bytes, err = req:read(65536)
    if err then
      return perigee.problem(400, err)
    elseif not bytes then
      return { size = size, lines = lines }
    end
    size, lines = size + #bytes, lines + select(2, bytes:gsub("\n", ""))
  end
end)

return app
