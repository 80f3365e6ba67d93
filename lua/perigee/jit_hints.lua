-- What keeps LuaJIT from compiling a loop or a function, by the bytecode that it has no way to record, and what to do.

local M = {}

-- LuaJIT 2.1.0-beta3 records every bytecode but these.
M.BY_BYTECODE = {
  FNEW = "a function is made here each time (a closure): make it once, outside, and pass what it needs",
  UCLO = "a block that closures were made in ends here: make the closures outside of the loop",
  VARG = "... with a varying number of values, as in {...} and f(...): name the arguments, or pass a table",
  ISNEXT = "pairs() over something with an iterator of its own: loop another way",
}

local BEYOND = "nothing in it is beyond the compiler by itself: look at "

M.UNKNOWN = {
  loop = BEYOND .. "what it calls (string.gsub, a C function, what has jit.off or raises), at inner loops of few and "
    .. "varying rounds, at variables that change their type",
  ["function"] = BEYOND .. "what it calls (a C function, what has jit.off or raises), and whether it calls itself; or "
    .. "jit.off() was called for it",
}

return M
