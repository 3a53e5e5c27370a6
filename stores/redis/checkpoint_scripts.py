"""The scripts of `stores.redis.checkpoints`. Each runs inside Redis as one step.

A checkpoint's pending writes are listed in its registry, a sorted set whose name follows from the checkpoint's key.
"""

from __future__ import annotations

REGISTRY = """
local function registry_of(key) return 'write_keys_zset' .. string.sub(key, string.find(key, ':', 1, true), -1) end
"""
GET = (
    REGISTRY
    + """
local key = KEYS[1]
if ARGV[2] == '' then
  key = redis.call('GET', KEYS[2])
  if not key then return {} end
end
local found = {redis.call('JSON.GET', key)}
if not found[1] then return {} end
redis.call('EXPIRE', key, ARGV[1])
redis.call('EXPIRE', KEYS[2], ARGV[1])
local registry = registry_of(key)
local writes = redis.call('ZRANGE', registry, 0, -1)
if #writes > 0 then redis.call('EXPIRE', registry, ARGV[1]) end
for _, name in ipairs(writes) do
  local write = redis.call('JSON.GET', name)
  if write then
    redis.call('EXPIRE', name, ARGV[1])
    found[#found + 1] = write
  end
end
return found
"""
)
"""KEYS: document, pointer. ARGV: ttl, checkpoint id or ''. Gives the document and its pending writes, or nothing."""
DROP = (
    REGISTRY
    + """
local function drop(key)
  local writes = redis.call('ZRANGE', registry_of(key), 0, -1)
  redis.call('DEL', key, registry_of(key), unpack(writes))
end
"""
)
STORE = (
    DROP
    + """
local old = redis.call('GET', KEYS[2])
redis.call('JSON.SET', KEYS[1], '$', ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[1])
redis.call('SET', KEYS[2], KEYS[1], 'EX', ARGV[1])
if redis.call('EXISTS', registry_of(KEYS[1])) == 1 then redis.call('JSON.SET', KEYS[1], '$.has_writes', 'true') end
"""
)
"""KEYS: document, pointer. ARGV: ttl, document."""
PUT = STORE + "if old and old ~= KEYS[1] then drop(old) end return 1"
"""The checkpoint before it goes, with its pending writes."""
PUT_BESIDE = STORE + "return 1"
"""The checkpoints before it stay."""
PUT_WRITES = """
local latest = redis.call('GET', KEYS[2])
if ARGV[2] == '1' and latest ~= KEYS[1] then return 0 end
for i = 4, #KEYS do
  redis.call('JSON.SET', KEYS[i], '$', ARGV[i - 1])
  redis.call('EXPIRE', KEYS[i], ARGV[1])
  redis.call('ZADD', KEYS[3], i - 4, KEYS[i])
end
redis.call('EXPIRE', KEYS[3], ARGV[1])
if latest == KEYS[1] then redis.call('JSON.SET', KEYS[1], '$.has_writes', 'true') end
return 1
"""
"""KEYS: document, pointer, registry, writes. ARGV: ttl, '1' if this process replaced the checkpoint, writes.

A run's writes and puts travel on several connections. A write that comes before its checkpoint is kept for it; one
whose checkpoint has been replaced is dropped.
"""
FORGET = (
    DROP
    + """
local key = redis.call('GET', KEYS[1])
if key then drop(key) end
return redis.call('DEL', KEYS[1])
"""
)
TAKE_BACK = (
    DROP
    + """
local gone = tonumber(ARGV[2])
for i = 2, 1 + gone do drop(KEYS[i]) end
local latest = redis.call('GET', KEYS[1])
if latest and redis.call('EXISTS', latest) == 1 then return 1 end
for i = 2 + gone, #KEYS do
  if redis.call('EXISTS', KEYS[i]) == 1 then
    redis.call('SET', KEYS[1], KEYS[i], 'EX', ARGV[1])
    return 1
  end
end
redis.call('DEL', KEYS[1])
return 1
"""
)
"""KEYS: pointer, documents that go, documents that stay (newest first). ARGV: ttl, number of the documents that go.

What was found before may have changed since: a pointer to a document that stays is left, and none is set to one gone.
"""
