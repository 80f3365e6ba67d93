---@meta _
-- Annotations of perigee.crypto for lua-language-server. Never loaded at run time.
-- luacheck: ignore 211 241

---@class perigee
---@field crypto perigee.crypto random bytes, digests, encodings and passwords
local perigee = {}

---@class perigee.crypto
local crypto = {}

--- Random bytes from the kernel: `perigee.crypto.base64url(perigee.crypto.random(32))` is a token nobody guesses.
---@param count integer up to 1 MiB
---@return string bytes
function crypto.random(count) end

--- A UUID: random (4), or one that begins with the time and sorts by it (7).
---@param version? 4|7
---@return string
function crypto.uuid(version) end

--- The SHA-256 digest: 32 bytes. For digits: `perigee.crypto.hex(perigee.crypto.sha256(data))`.
---@param data string
---@return string bytes
function crypto.sha256(data) end

--- The HMAC of `data` under a key: 20, 32 or 64 bytes. Compare it by `perigee.crypto.equal`.
---@param key string
---@param data string
---@param digest? "sha1"|"sha256"|"sha512" SHA-256 unless said
---@return string bytes
function crypto.hmac(key, data, digest) end

--- Lower-case hexadecimal digits.
---@param bytes string
---@return string
function crypto.hex(bytes) end

--- The bytes of hexadecimal digits in either case, or nil and why not.
---@param text string
---@return string|nil bytes
---@return string? err
function crypto.unhex(text) end

--- Base64 with padding (RFC 4648, section 4).
---@param bytes string
---@return string
function crypto.base64(bytes) end

--- The bytes of a base64 text, padded or not, or nil and why not.
---@param text string
---@return string|nil bytes
---@return string? err
function crypto.unbase64(text) end

--- Base64 for URLs and file names, without padding (RFC 4648, section 5).
---@param bytes string
---@return string
function crypto.base64url(bytes) end

--- The bytes of a base64url text, padded or not, or nil and why not.
---@param text string
---@return string|nil bytes
---@return string? err
function crypto.unbase64url(text) end

--- Whether two strings are equal, in a time that does not tell where they differ: for tokens and signatures.
---@param a string
---@param b string
---@return boolean
function crypto.equal(a, b) end

--- A password's hash to keep, by Argon2id. Takes some 20 ms of another thread: the worker serves others meanwhile.
---@param password string
---@return string|nil hash
---@return string? err "full: ..." when too many wait
function crypto.password_hash(password) end

--- Whether a hash, which password_hash or another Argon2id made, is of this password. Takes as long, likewise.
---@param password string
---@param hash string
---@return boolean|nil is_it
---@return string? err "full: ..." when too many wait
function crypto.password_verify(password, hash) end
