---@meta _
-- Annotations of the error desk for lua-language-server. Never loaded at run time.
-- luacheck: ignore 211 241

---@class perigee
local perigee = {}

--- Errors that were the same but for their numbers, names and addresses.
---@class perigee.ErrorKind
---@field signature string the message without what varies
---@field message string the first line of the first one's
---@field count integer
---@field first_seen number seconds since 1970
---@field last_seen number seconds since 1970
---@field routes table<string, integer> how many in requests of each
---@field hosts table<string, integer> how many calls to each failed
---@field traceback string of the first that had any, else ""
---@field sample string the line of a request, without the values of its query; else ""

--- What went wrong since the server started, on every worker, by kind, the most frequent first: uncaught errors, failed
--- calls to other servers and failed reloads.
---@return perigee.ErrorKind[]
function perigee.errors() end
