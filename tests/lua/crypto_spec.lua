local core = require "perigee.core"
local perigee = require "perigee"
local spec = require "spec"
local describe, it, equal, raises = spec.describe, spec.it, spec.equal, spec.raises

local crypto = perigee.crypto

local function fails(message, value, err)
  equal(nil, value)
  equal(message, err)
end

describe("perigee.crypto.random", function()
  it("gives as many bytes as were asked for, never the same", function()
    equal(0, #crypto.random(0))
    equal(33, #crypto.random(33))
    equal(false, crypto.random(16) == crypto.random(16))
  end)

  it("refuses what is no number of bytes", function()
    for _, count in ipairs { -1, 1.5, 2 ^ 21, 0 / 0, "x", {}, false } do
      raises("bad argument #1 to 'random' (a whole number of bytes up to 1 MiB expected)", crypto.random, count)
    end
    raises("bad argument #1 to 'random'", crypto.random)
  end)
end)

describe("perigee.crypto.uuid", function()
  local PATTERN = "^%x%x%x%x%x%x%x%x%-%x%x%x%x%-(%x)%x%x%x%-([89ab])%x%x%x%-%x%x%x%x%x%x%x%x%x%x%x%x$"

  it("is random, or begins with the time and sorts by it", function()
    equal("4", (crypto.uuid():match(PATTERN)))
    equal("4", (crypto.uuid(4):match(PATTERN)))
    equal("7", (crypto.uuid(7):match(PATTERN)))
    equal(false, crypto.uuid() == crypto.uuid())
    local now = core.now
    core.now = function() return 1700000000 end
    local text = crypto.uuid(7)
    core.now = now
    equal("018bcfe5-6800-7", text:sub(1, 15))
    raises("bad argument #1 to 'uuid' (the version is 4 or 7)", crypto.uuid, 1)
    raises("bad argument #1 to 'uuid'", crypto.uuid, "4")
  end)

  it("is what the type takes", function()
    equal("string", type(crypto.uuid():lower()))
    equal(36, #crypto.uuid(7))
  end)
end)

describe("perigee.crypto digests", function()
  it("are those of their standards", function()
    equal("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", crypto.hex(crypto.sha256("abc")))
    equal("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", crypto.hex(crypto.sha256("")))
    -- RFC 2202 and RFC 4231, the second case of each
    local key, text = "Jefe", "what do ya want for nothing?"
    equal("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843", crypto.hex(crypto.hmac(key, text)))
    equal("effcdf6ae5eb2fa2d27416d5f184df9c259a7c79", crypto.hex(crypto.hmac(key, text, "sha1")))
    equal("164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fd"
      .. "caeab1a34d4a6b4b636e070a38bce737", crypto.hex(crypto.hmac(key, text, "sha512")))
  end)

  it("refuse what is no string, and digests that are not offered", function()
    raises("bad argument #1 to 'sha256' (string expected, got nil)", crypto.sha256)
    raises("bad argument #1 to 'sha256' (string expected, got number)", crypto.sha256, 1)
    raises("bad argument #1 to 'hmac' (string expected, got nil)", crypto.hmac)
    raises("bad argument #2 to 'hmac' (string expected, got table)", crypto.hmac, "k", {})
    raises("bad argument #3 to 'hmac' (sha1, sha256 or sha512 expected)", crypto.hmac, "k", "t", "md5")
  end)
end)

describe("perigee.crypto encodings", function()
  local BYTES = "\0\1\254\255>>>???"

  it("go both ways", function()
    for length = 0, #BYTES do
      local bytes = BYTES:sub(1, length)
      equal(bytes, crypto.unhex(crypto.hex(bytes)))
      equal(bytes, crypto.unbase64(crypto.base64(bytes)))
      equal(bytes, crypto.unbase64url(crypto.base64url(bytes)))
    end
    equal("Zm9vYg==", crypto.base64("foob"))
    equal("Zm9vYg", crypto.base64url("foob"))
    equal("Pj4-Pz8_", crypto.base64url(">>>???"))
    equal("foob", crypto.unbase64("Zm9vYg"))
    equal("\171\205", crypto.unhex("aBcD"))
  end)

  it("say that a text is none of theirs", function()
    fails("not hexadecimal", crypto.unhex("abc"))
    fails("not hexadecimal", crypto.unhex("zz"))
    fails("not base64", crypto.unbase64("Zm9vYg="))
    fails("not base64", crypto.unbase64("Zm9v\nYg=="))
    fails("not base64", crypto.unbase64("Pj4-"))
    fails("not base64", crypto.unbase64("A"))
    fails("not base64url", crypto.unbase64url("Pj4+"))
    for _, name in ipairs { "hex", "unhex", "base64", "unbase64", "base64url", "unbase64url" } do
      raises(("bad argument #1 to '%s' (string expected, got nil)"):format(name), crypto[name])
    end
  end)
end)

describe("perigee.crypto.equal", function()
  it("compares strings", function()
    equal(true, crypto.equal("abc", "abc"))
    equal(true, crypto.equal("", ""))
    equal(false, crypto.equal("abc", "abd"))
    equal(false, crypto.equal("abc", "abcd"))
    equal(false, crypto.equal("a\0b", "a\0c"))
    raises("bad argument #1 to 'equal' (string expected, got nil)", crypto.equal, nil, "x")
    raises("bad argument #2 to 'equal' (string expected, got nil)", crypto.equal, "x")
  end)
end)

describe("perigee.crypto passwords", function()
  it("are hashed and verified", function()
    local hash = crypto.password_hash("secret")
    equal("$argon2id$v=19$m=19456,t=2,p=1$", hash:sub(1, 31))
    equal(true, crypto.password_verify("secret", hash))
    equal(false, crypto.password_verify("Secret", hash))
    equal(false, crypto.password_verify("secret", "no hash"))
    equal(false, crypto.password_verify("secret", ""))
  end)

  it("are strings", function()
    raises("bad argument #1 to 'password_hash' (string expected, got nil)", crypto.password_hash)
    raises("bad argument #1 to 'password_verify' (string expected, got number)", crypto.password_verify, 1, "x")
    raises("bad argument #2 to 'password_verify' (string expected, got nil)", crypto.password_verify, "x")
  end)

  it("can't wait below a C function, and say so", function()
    local ok, err = pcall(string.gsub, "x", "x", function() return #crypto.password_hash("x") end)
    equal(false, ok)
    equal(true, err:find("crypto_spec.lua:%d+: perigee.crypto.password_hash can't wait here: a C function") ~= nil)
  end)
end)
