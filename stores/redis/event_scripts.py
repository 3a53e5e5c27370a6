"""The scripts of `stores.redis.events`: a run's record and its events change together, inside Redis, as one step.

KEYS are the run's record and its stream unless a script says otherwise.
"""

from __future__ import annotations

COMMON = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local ended = {done = true, error = true, stopped = true}
local function add(event, data, most, ttl)
  local id = redis.call('XADD', KEYS[2], 'MAXLEN', '~', most, '*', 'e', event, 'd', data)
  redis.call('EXPIRE', KEYS[2], ttl)
  redis.call('PUBLISH', KEYS[2], id .. ' ' .. event .. ' ' .. data)
  return id
end
local function finish(state, result, ttl)
  redis.call('HSET', KEYS[1], 'state', state, 'result', result, 'finished', now)
  redis.call('EXPIRE', KEYS[1], ttl)
end
"""
CREATE = (
    COMMON
    + """
redis.call('HSET', KEYS[1], 'state', 'queued', 'created', now, 'beat', now, unpack(ARGV, 2))
redis.call('EXPIRE', KEYS[1], ARGV[1])
return 1
"""
)
"""ARGV: ttl, fields and values."""
APPEND = (
    COMMON
    + """
if ended[redis.call('HGET', KEYS[1], 'state') or ''] then return false end
local id = add(ARGV[1], ARGV[2], ARGV[3], ARGV[4])
if ARGV[5] ~= '' then finish(ARGV[5], ARGV[2], ARGV[4]) end
return id
"""
)
"""ARGV: event, data, most events, ttl, final state or ''. Gives the id; nothing once the run has ended."""
START = (
    COMMON
    + """
local state = redis.call('HGET', KEYS[1], 'state')
if not state or ended[state] then return 0 end
if state == 'queued' then redis.call('HSET', KEYS[1], 'started', now) end
redis.call('HSET', KEYS[1], 'state', ARGV[1], 'beat', now)
return 1
"""
)
"""ARGV: state."""
BEAT = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
for _, key in ipairs(KEYS) do
  if redis.call('EXISTS', key) == 1 then redis.call('HSET', key, 'beat', now) end
end
return 1
"""
"""KEYS: records of the runs of one process."""
LOOK = (
    COMMON
    + """
local state = redis.call('HGET', KEYS[1], 'state')
if state and not ended[state] and now - tonumber(redis.call('HGET', KEYS[1], 'beat')) > tonumber(ARGV[1]) then
  local data = redis.call('HGET', KEYS[1], 'language') == 'zh' and ARGV[3] or ARGV[2]
  add('error', data, ARGV[4], ARGV[5])
  finish('error', data, ARGV[5])
end
return redis.call('HGETALL', KEYS[1])
"""
)
"""ARGV: age in ms at which a run is lost, error in English, in Chinese, most events, ttl. Gives the record."""
PLACE = """
if redis.call('EXISTS', KEYS[1]) == 0 then return ARGV[1] == '0-0' and 'nothing' or 'gap' end
if ARGV[1] ~= '0-0' then return #redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1]) == 1 and 'kept' or 'gap' end
local info = redis.call('XINFO', 'STREAM', KEYS[1])
local found = {}
for i = 1, #info, 2 do found[info[i]] = info[i + 1] end
return found['entries-added'] > found['length'] and 'gap' or 'kept'
"""
"""KEYS: stream. ARGV: id. Tells whether all events behind the id are kept, lost in part, or there are none yet."""
