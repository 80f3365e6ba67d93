---@meta
-- Annotations of the words that files of `perigee test` and `perigee bench` have, for lua-language-server: busted's and
-- luassert's, and bench. Never loaded at run time.
-- luacheck: ignore 111 112 121 122 142 143 211 241

--- A group of tests.
---@param name string
---@param fn fun()
function describe(name, fn) end

--- Likewise.
---@param name string
---@param fn fun()
function context(name, fn) end

--- One test. Without a function it is pending.
---@param name string tags in it, "#slow", choose it by `--tags`
---@param fn? fun()
function it(name, fn) end

--- Likewise.
---@param name string
---@param fn? fun()
function test(name, fn) end

--- A test that is not done yet; inside one: the rest of it is not.
---@param name? string
---@param fn? fun()
function pending(name, fn) end

--- Before each test of the group, those of groups in it included.
---@param fn fun()
function before_each(fn) end

--- After each, whatever became of it.
---@param fn fun()
function after_each(fn) end

--- Once before the group's first test.
---@param fn fun()
function setup(fn) end

--- Once after its last.
---@param fn fun()
function teardown(fn) end

--- Inside a test: when it is over, whatever became of it.
---@param fn fun()
function finally(fn) end

--- Has the group's tests run in the order they stand in: randomize(false).
---@param on boolean
function randomize(on) end

---@class perigee.test.Bench
---@field n integer how often to do it
local Bench = {}

--- Forgets the time so far: what was prepared does not count.
function Bench:reset() end

--- A benchmark: `fn` does what it measures `b.n` times.
---
--- ```lua
--- bench("join", function(b)
---   for _ = 1, b.n do table.concat({ "a", "b" }, ",") end
--- end)
--- ```
---@param name string
---@param options { parallel: boolean } on all cores
---@param fn fun(b: perigee.test.Bench)
---@overload fun(name: string, fn: fun(b: perigee.test.Bench))
function bench(name, options, fn) end

---@class perigee.test.Spy what was called with what
---@field calls table[]
---@overload fun(...: any): ...
local Spy = {}

--- Puts back what was replaced.
function Spy:revert() end

--- Forgets the calls so far.
function Spy:clear() end

---@class perigee.test.spy
---@overload fun(): perigee.test.Spy
spy = {}

--- A function that calls `fn` and remembers it.
---@param fn? function
---@return perigee.test.Spy
function spy.new(fn) end

--- Watches `object[name]` until the test is over.
---@param object table
---@param name any
---@return perigee.test.Spy
function spy.on(object, name) end

---@class perigee.test.Stub: perigee.test.Spy
---@field returns fun(...: any): perigee.test.Stub
---@field invokes fun(fn: function): perigee.test.Stub
---@field by_default perigee.test.Stub
---@field on_call_with fun(...: any): perigee.test.Stub

--- Replaces `object[name]` by what returns nothing, or the values, until the test is over.
---@param object table
---@param name any
---@param ... any
---@return perigee.test.Stub
function stub(object, name, ...) end

--- Has every function of a table watched, or replaced.
---@generic T: table
---@param object T
---@param replaced? boolean
---@return T
function mock(object, replaced) end

--- luassert's: assert(value), assert.equal(expected, got), assert.is_not.same(a, b), assert.has_no.errors(fn). The last
--- argument of each may be a note, which is said when it fails.
---@class perigee.test.assert
---@field is perigee.test.assert
---@field are perigee.test.assert
---@field was perigee.test.assert
---@field has perigee.test.assert
---@field does perigee.test.assert
---@field is_not perigee.test.assert what follows, turned around
---@field are_not perigee.test.assert likewise
---@field was_not perigee.test.assert likewise
---@field has_no perigee.test.assert likewise
---@field does_not perigee.test.assert likewise
---@field Not perigee.test.assert likewise
---@field equal fun(expected: any, got: any, note?: any) by ==
---@field equals fun(expected: any, got: any, note?: any)
---@field same fun(expected: any, got: any, note?: any) tables by what they hold
---@field near fun(expected: number, got: number, tolerance: number, note?: any)
---@field match fun(pattern: string, text: any, note?: any)
---@field matches fun(pattern: string, text: any, note?: any)
---@field truthy fun(value: any, note?: any)
---@field falsy fun(value: any, note?: any)
---@field is_true fun(value: any, note?: any)
---@field is_false fun(value: any, note?: any)
---@field is_nil fun(value: any, note?: any)
---@field is_not_nil fun(value: any, note?: any)
---@field is_boolean fun(value: any, note?: any)
---@field is_number fun(value: any, note?: any)
---@field is_string fun(value: any, note?: any)
---@field is_table fun(value: any, note?: any)
---@field is_function fun(value: any, note?: any)
---@field is_thread fun(value: any, note?: any)
---@field is_userdata fun(value: any, note?: any)
---@field unique fun(list: table, note?: any) no value of it is there twice
---@field error fun(fn: function, expected?: any, note?: any)
---@field errors fun(fn: function, expected?: any, note?: any)
---@field has_error fun(fn: function, expected?: any, note?: any)
---@field error_matches fun(fn: function, pattern: string, note?: any)
---@field property fun(object: table, key: any, note?: any)
---@field spy fun(spy: perigee.test.Spy): table assert.spy(s).was.called_with(1)
---@field stub fun(stub: perigee.test.Spy): table
---@field array fun(list: table): table assert.array(t).has.no.holes()
---@field message fun(note: any): perigee.test.assert
---@overload fun(value: any, message?: any, ...: any): ...
assert = {}

--- Adds an assertion, or a matcher, by a name.
---@param kind "assertion"|"matcher"
---@param name string
---@param fn fun(state: table, arguments: table): boolean
---@param why_not? string what `say` says of one that does not hold
---@param why? string of one that holds and must not
function assert:register(kind, name, fn, why_not, why) end

---@param kind "assertion"|"matcher"
---@param name string
function assert:unregister(kind, name) end

--- Has failures show values as `fn` does: it returns a text, or nil for those that it knows nothing of.
---@param fn fun(value: any): string?
function assert:add_formatter(fn) end

---@param fn function
function assert:remove_formatter(fn) end

--- What failures show values by, luassert's: "TableFormatLevel", "TableErrorHighlightCharacter" ...
---@param name string
---@param value any
function assert:set_parameter(name, value) end

---@param name string
---@return any
function assert:get_parameter(name) end

--- What is put in place of something, or set, from here on goes by revert().
---@return { revert: fun() }
function assert:snapshot() end
