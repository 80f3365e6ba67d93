-- Reads a handler's bytecode to prove that nobody but the handler can ever see certain tables: then routes.lua need not
-- make them, or can take them apart where they were made. What can't be proven is taken for the opposite.
--
-- The operands of an instruction are at the same bits in every LuaJIT 2.1, and jit.util tells what each of them is;
-- the few opcodes that matter are taken from probes, compiled by the VM itself.

local bit = require "bit"
local util = require "jit.util"

local band, rshift = bit.band, bit.rshift

local M = {}

-- Kinds of operands, as jit.util.funcbc's second result packs them (A: 3 bits, B: 4, C or D: 4).
local NONE, DST, BASE, VAR, RBASE, JUMP = 0, 1, 2, 3, 4, 13
local REGISTER = { [DST] = true, [BASE] = true, [VAR] = true, [RBASE] = true }

-- One instruction, with its operands' kinds; nil after the last.
local function instruction(fn, pc)
  local word, mode = util.funcbc(fn, pc)
  if not word then
    return nil
  end
  local kind_b = band(rshift(mode, 3), 15)
  local d = rshift(word, 16)
  return {
    op = band(word, 0xff),
    a = band(rshift(word, 8), 0xff), kind_a = band(mode, 7),
    b = rshift(d, 8), kind_b = kind_b,
    c = kind_b == NONE and d or band(d, 0xff), kind_c = band(rshift(mode, 7), 15),
  }
end

local function opcode(fn, pc)
  return instruction(fn, pc).op
end

-- luacheck: push ignore
local function probe_field(t) local value = t.field; return value end
local function probe_method(t) t:method() end
local function probe_return() end
local function probe_returns(a, b) return a, b end
local function probe_duplicate() return { field = 1 } end
local function probe_new(a) local t = {} t.field = a end
local function probe_list(f) return { f() } end
local function probe_call(f) return f() end
local function probe_call_many(f, g) return f(g()) end
local function probe_take_many(f, g) f(g()) end
local function probe_many(f) return 1, f() end
-- luacheck: pop

local GET = opcode(probe_field, 1)           -- A = B[constant C]
local MOVE = opcode(probe_method, 1)         -- A = D
local RETURN_NOTHING = opcode(probe_return, 1)
local RETURN = opcode(probe_returns, 3)      -- A and the D - 2 after it
local DUPLICATE = opcode(probe_duplicate, 1) -- A = a copy of the constant D
local NEW, SET = opcode(probe_new, 1), opcode(probe_new, 2) -- A = {}; B[constant C] = A
local SET_MANY = opcode(probe_list, 4)       -- sets the list of the table below A
local CALL_TAIL, CALL_TAIL_MANY = opcode(probe_call, 2), opcode(probe_call_many, 4)
-- Calls of the function in A.
local CALLS = {
  [opcode(probe_method, 3)] = true, [opcode(probe_take_many, 4)] = true, [CALL_TAIL] = true, [CALL_TAIL_MANY] = true,
}
-- Returns of what other functions return.
local OPEN_RETURNS = { [CALL_TAIL] = true, [CALL_TAIL_MANY] = true, [opcode(probe_many, 4)] = true }
-- A method call puts its object that many slots above the function.
local OBJECT = instruction(probe_method, 1).a - instruction(probe_method, 2).a

-- Whether it may read or write slot 0. Of several registers that an operand stands for, it is the lowest.
local function touches_first(ins)
  return ins.op ~= RETURN_NOTHING and (REGISTER[ins.kind_a] and ins.a == 0 or REGISTER[ins.kind_b] and ins.b == 0
    or REGISTER[ins.kind_c] and ins.c == 0)
end

-- The name that an instruction reads of slot 0; nil when it does anything else.
local function field_of_first(fn, ins)
  return ins and ins.op == GET and ins.b == 0 and ins.a ~= 0 and util.funck(fn, -ins.c - 1) or nil
end

-- Whether the next instruction reads a field out of what `ins` loaded, and into the same register.
local function consumed(fn, ins, pc)
  local next_one = instruction(fn, pc + 1)
  return next_one and next_one.op == GET and next_one.b == ins.a and next_one.a == ins.a
end

local function uses_register(ins, register)
  return REGISTER[ins.kind_a] and ins.a == register or REGISTER[ins.kind_b] and ins.b == register
    or REGISTER[ins.kind_c] and ins.c == register
end

-- Whether what the instruction at `pc` loaded is next used by calling it, and the object above it by nothing else. They
-- are two variables otherwise (`object, method = req, req.method`).
local function is_called(fn, pc, register)
  while true do
    pc = pc + 1
    local ins = instruction(fn, pc)
    if not ins then
      return false
    elseif CALLS[ins.op] and ins.a == register then
      return true
    elseif uses_register(ins, register) or uses_register(ins, register + OBJECT) then
      return false
    end
  end
end

local function is_method_call(fn, ins, pc, methods)
  if ins.op ~= MOVE or ins.c ~= 0 then
    return false
  end
  local load = instruction(fn, pc + 1)
  local name = field_of_first(fn, load)
  return name ~= nil and load.a + OBJECT == ins.a and methods[name] == true and is_called(fn, pc + 1, load.a)
end

-- Whether a function made inside `fn` may hold its first parameter.
local function is_captured(fn, info)
  if not info.children then
    return false
  end
  local name = debug.getlocal(fn, 1)
  for index = -1, -info.gcconsts, -1 do
    local constant = util.funck(fn, index)
    if type(constant) == "proto" then
      for upvalue = 0, util.funcinfo(constant).upvalues - 1 do
        if util.funcuvname(constant, upvalue) == name then
          return true
        end
      end
    end
  end
  return name == nil
end

--- What a function does with its first parameter, when it only reads fields of it and calls the named methods on it;
--- nil when the parameter may be kept, passed on, changed or looked into in any other way.
--- A field's value in the result is "consumed" when every read of it is at once the read of one of its own fields by a
--- constant name (`p.field.name`), so that nobody can hold the field itself; otherwise it is "held".
---@param fn function
---@param methods table<string, true> methods that do not keep their object
---@return table<string, "consumed"|"held">?
function M.uses_of_first(fn, methods)
  local info = util.funcinfo(fn)
  if not info.bytecodes or info.isvararg then
    return nil
  end
  if info.params == 0 then
    return {}
  end
  if is_captured(fn, info) then
    return nil
  end
  local uses, pc = {}, 1
  while true do
    local ins = instruction(fn, pc)
    if not ins then
      return uses
    end
    if touches_first(ins) then
      local field = field_of_first(fn, ins)
      if field then
        uses[field] = uses[field] ~= "held" and consumed(fn, ins, pc) and "consumed" or "held"
      elseif is_method_call(fn, ins, pc, methods) then
        pc = pc + 1 -- the load of the method
      else
        return nil
      end
    end
    pc = pc + 1
  end
end

local function add_keys(names, template)
  for key in pairs(template) do
    if type(key) ~= "string" then
      return false
    end
    names[key] = true
  end
  return true
end

-- Adds the keys of the table that was made for `register` just before the instruction at `pc`, and returns where; nil
-- when it was not made there out of a literal with constant names.
local function literal_before(fn, pc, register, names)
  for at = pc - 1, 1, -1 do
    local ins = instruction(fn, at)
    if ins.op == NEW and ins.a == register then
      return at
    elseif ins.op == DUPLICATE and ins.a == register then
      return add_keys(names, util.funck(fn, -ins.c - 1)) and at or nil
    elseif ins.op == SET and ins.b == register and ins.a ~= register then
      names[util.funck(fn, -ins.c - 1)] = true
    elseif ins.op == SET_MANY or uses_register(ins, register) then
      return nil
    end
  end
end

-- Whether all jumps that end between two places also begin there.
local function entered_only_at_front(fn, from, to)
  local pc = 1
  while true do
    local ins = instruction(fn, pc)
    if not ins then
      return true
    end
    if ins.kind_c == JUMP then
      local target = pc + 1 + ins.c - 0x8000
      if target > from and target <= to and (pc <= from or pc >= to) then
        return false
      end
    end
    pc = pc + 1
  end
end

--- The names that the third value a function returns can have, when every one it ever returns is a table written out in
--- its return statement with constant names; nil otherwise, and when it never returns a third.
---@param fn function
---@return string[]?
function M.names_of_third(fn)
  if not util.funcinfo(fn).bytecodes then
    return nil
  end
  local names, pc = {}, 1
  while true do
    local ins = instruction(fn, pc)
    if not ins then
      break
    elseif OPEN_RETURNS[ins.op] or ins.op == RETURN and ins.c > 4 then
      return nil
    elseif ins.op == RETURN and ins.c == 4 then
      local front = literal_before(fn, pc, ins.a + 2, names)
      if not front or not entered_only_at_front(fn, front, pc) then
        return nil
      end
    end
    pc = pc + 1
  end
  local list = {}
  for name in pairs(names) do
    list[#list + 1] = name
  end
  table.sort(list)
  return list[1] and list
end

--- The names of the fields that a function reads out of a field of its first parameter, which uses_of_first says is
--- "consumed".
---@param fn function
---@param field string
---@return table<string, true>
function M.names_consumed(fn, field)
  local names, pc = {}, 1
  while true do
    local ins = instruction(fn, pc)
    if not ins then
      return names
    elseif field_of_first(fn, ins) == field then
      names[util.funck(fn, -instruction(fn, pc + 1).c - 1)] = true
    end
    pc = pc + 1
  end
end

return M
