-- perigee.crypto: random bytes, digests, encodings and passwords.

local core = require "perigee.core"
local tasks = require "perigee.tasks"

local M = {}

local MOST_RANDOM = 1024 * 1024
local DIGESTS = { sha1 = true, sha256 = true, sha512 = true }

local function check_string(value, number, name)
  if type(value) ~= "string" then
    error(("bad argument #%d to '%s' (string expected, got %s)"):format(number, name, type(value)), 3)
  end
end

--- Random bytes from the kernel.
---@param count integer
---@return string
function M.random(count)
  if type(count) ~= "number" or count % 1 ~= 0 or count < 0 or count > MOST_RANDOM then
    error("bad argument #1 to 'random' (a whole number of bytes up to 1 MiB expected)", 2)
  end
  return core.random(count)
end

-- The text of sixteen bytes as a UUID of a version (RFC 9562).
local function uuid_text(bytes, version)
  local sixth, eighth = bytes:byte(7) % 16 + version * 16, bytes:byte(9) % 64 + 128
  bytes = bytes:sub(1, 6) .. string.char(sixth) .. bytes:sub(8, 8) .. string.char(eighth) .. bytes:sub(10)
  local text = core.hex(bytes)
  return ("%s-%s-%s-%s-%s"):format(text:sub(1, 8), text:sub(9, 12), text:sub(13, 16), text:sub(17, 20), text:sub(21))
end

--- A UUID: random (4), or one that begins with the time and sorts by it (7).
---@param version? 4|7
---@return string
function M.uuid(version)
  if version == nil or version == 4 then
    return uuid_text(core.random(16), 4)
  elseif version ~= 7 then
    error("bad argument #1 to 'uuid' (the version is 4 or 7)", 2)
  end
  local time, bytes = math.floor(core.now() * 1000), {}
  for i = 6, 1, -1 do
    bytes[i] = string.char(time % 256)
    time = math.floor(time / 256)
  end
  return uuid_text(table.concat(bytes) .. core.random(10), 7)
end

--- The SHA-256 digest, 32 bytes.
---@param data string
---@return string
function M.sha256(data)
  check_string(data, 1, "sha256")
  return core.sha256(data)
end

--- The HMAC of data under a key.
---@param key string
---@param data string
---@param digest? "sha1"|"sha256"|"sha512"
---@return string bytes
function M.hmac(key, data, digest)
  check_string(key, 1, "hmac")
  check_string(data, 2, "hmac")
  if digest ~= nil and not DIGESTS[digest] then
    error("bad argument #3 to 'hmac' (sha1, sha256 or sha512 expected)", 2)
  end
  return core.hmac(key, data, digest)
end

--- Lower-case hexadecimal digits.
---@param bytes string
---@return string
function M.hex(bytes)
  check_string(bytes, 1, "hex")
  return core.hex(bytes)
end

local function decoded(bytes, what)
  if bytes == nil then
    return nil, "not " .. what
  end
  return bytes
end

--- The bytes of hexadecimal digits.
---@param text string
---@return string|nil, string? err
function M.unhex(text)
  check_string(text, 1, "unhex")
  return decoded(core.unhex(text), "hexadecimal")
end

--- Base64 with padding.
---@param bytes string
---@return string
function M.base64(bytes)
  check_string(bytes, 1, "base64")
  return core.base64(bytes, false)
end

--- The bytes of a base64 text, padded or not.
---@param text string
---@return string|nil, string? err
function M.unbase64(text)
  check_string(text, 1, "unbase64")
  return decoded(core.unbase64(text, false), "base64")
end

--- Base64 for URLs and file names, without padding.
---@param bytes string
---@return string
function M.base64url(bytes)
  check_string(bytes, 1, "base64url")
  return core.base64(bytes, true)
end

--- The bytes of a base64url text, padded or not.
---@param text string
---@return string|nil, string? err
function M.unbase64url(text)
  check_string(text, 1, "unbase64url")
  return decoded(core.unbase64(text, true), "base64url")
end

--- Whether two strings are equal, in a time that does not tell where they differ.
---@param a string
---@param b string
---@return boolean
function M.equal(a, b)
  check_string(a, 1, "equal")
  check_string(b, 2, "equal")
  return core.equal(a, b)
end

-- Waits for what another thread makes of a password. Called last, so that the caller stands right above.
local function off_worker(what, password, hash)
  tasks.current(what)
  if tasks.no_wait then
    error(what .. " can't wait here: " .. tasks.no_wait, 2)
  elseif not core.password_begin(password, hash) then
    return nil, "full: too many passwords wait for their turn"
  end
  while true do
    local result = core.errand_take()
    if result == "" then
      error("not enough memory for the hash of a password", 2)
    elseif result then
      return hash and result == "yes" or not hash and result
    end
    tasks.suspend(what, core.errand_leave)
  end
end

--- A password's hash to keep, by Argon2id; made on another thread while the task waits.
---@param password string
---@return string|nil hash
---@return string? err "full: ..." when too many wait
function M.password_hash(password)
  check_string(password, 1, "password_hash")
  return off_worker("perigee.crypto.password_hash", password)
end

--- Whether a hash that password_hash made is of this password; compared on another thread while the task waits.
---@param password string
---@param hash string
---@return boolean|nil
---@return string? err "full: ..." when too many wait
function M.password_verify(password, hash)
  check_string(password, 1, "password_verify")
  check_string(hash, 2, "password_verify")
  return off_worker("perigee.crypto.password_verify", password, hash)
end

return M
