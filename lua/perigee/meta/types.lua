---@meta perigee.types
-- Annotations for lua-language-server. Never loaded at run time: the server carries lua/perigee/*.lua only.
-- luacheck: ignore 241

--- What a value of a request must be. Types are immutable; a modifier returns another one.
---
--- ```lua
--- local t = perigee.types
--- app:get("/items", { query = { page = t.integer:min(1):default(1) } }, function(req) return req.query end)
--- ```
---@class perigee.Type
local Type = {}

--- What stands for a type: one of `perigee.types`, the name of a type ("integer", or one of `app:type`), or a function
--- from a text to its value, which refuses by `nil, expected`.
---@alias perigee.AnyType perigee.Type|string|(fun(text: string): any, string?)

--- May be absent: then the field is nil.
---@return perigee.Type
function Type:optional() end

--- What an absent value is taken for. Tables are copied for each request.
---@param value any of the type
---@return perigee.Type
function Type:default(value) end

--- The least number, or the earliest date. Of integer, number and date.
---@param value number|string
---@return perigee.Type
function Type:min(value) end

--- The greatest number, or the latest date. Of integer, number and date.
---@param value number|string
---@return perigee.Type
function Type:max(value) end

--- How many characters a text has, or items a list. Of string, keyword, slug and list.
---@param least? integer default 0
---@param most? integer default: as many as may come
---@return perigee.Type
function Type:length(least, most) end

--- What a Lua pattern finds something in; anchor it with ^ and $ to have it match the whole text. Of string, keyword
--- and slug.
---@param pattern string
---@return perigee.Type
function Type:match(pattern) end

--- Takes JSON's null, as perigee.null. Without it null counts as absent.
---@return perigee.Type
function Type:nullable() end

--- Errors never show the value that was sent.
---@return perigee.Type
function Type:secret() end

--- Of an object: other members are refused.
---@return perigee.Type
function Type:strict() end

--- Of an object: other members are kept as they came.
---@return perigee.Type
function Type:open() end

--- `perigee.types`: what specs are written with. Called as a function it makes a type, which takes modifiers, of a name
--- or a function.
---@class perigee.types
---@field string perigee.Type UTF-8
---@field integer perigee.Type a plain decimal within ±2^53
---@field number perigee.Type a decimal as JSON writes it
---@field boolean perigee.Type true or false
---@field uuid perigee.Type 8-4-4-4-12 hexadecimal digits
---@field date perigee.Type YYYY-MM-DD, a day that exists
---@field json perigee.Type any JSON
---@field keyword perigee.Type a lower-case letter, then a-z, 0-9 and _
---@field slug perigee.Type a-z and 0-9, joined by single hyphens
---@overload fun(what: string|(fun(text: string): any, string?), expected?: string): perigee.Type
local types = {}

--- Values of one type in a row: a JSON array; elsewhere a name repeated, or values joined by commas.
---@param item perigee.AnyType
---@return perigee.Type
function types.list(item) end

--- One of these values.
---@param values (string|number|boolean)[]
---@return perigee.Type
function types.enum(values) end

--- A JSON object. Members that are not named are dropped, unless `:strict()` or `:open()`.
---@param members table<string, perigee.AnyType>
---@return perigee.Type
function types.object(members) end

--- A text in which the Lua pattern finds something: `perigee.types.string:match(pattern)`.
---@param pattern string
---@return perigee.Type
function types.match(pattern) end

return types
