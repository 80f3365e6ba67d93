---@meta _
-- Annotations of perigee.run for lua-language-server. Never loaded at run time.
-- luacheck: ignore 211 241

---@class perigee
local perigee = {}

--- Runs a function of a module on a background VM, a thread besides the workers, and waits for what it returns:
--- for work that computes so long that it would hold up the worker.
---
--- ```lua
--- local digits, err = perigee.run("jobs.pi", "digits", 10000)
--- ```
---
--- Arguments and results are copied: strings, numbers, booleans, nil, perigee.null and tables of those. What the
--- function raises is raised here, with the traceback of the background.
---@param module string as `require` takes it
---@param name string of a function in the table that the module returns
---@param ... any plain data
---@return any ... what the function returned; nil and "full: ..." when too many wait, or "timeout: ..." when it was
---stopped over `background.cpu`
function perigee.run(module, name, ...) end
