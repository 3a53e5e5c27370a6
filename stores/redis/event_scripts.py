"""The scripts of `stores.redis.events`: a run's record and its events change together, inside Redis, as one step.

KEYS are the run's record and its stream unless a script says otherwise.
"""

from __future__ import annotations

from domain.runs import FINAL_STATES

COMMON = f"""
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local final = {{{", ".join(f"{state} = true" for state in sorted(FINAL_STATES))}}}
local last = tonumber(redis.call('HGET', KEYS[1], 'last') or 0)
local function add(number, name, data, most)
  if number > last then
    redis.call('XADD', KEYS[2], 'MAXLEN', '~', most, number .. '-0', 'e', name, 'd', data)
    last = number
  end
end
local function keep(state, data, ttl)
  redis.call('HSET', KEYS[1], 'last', last)
  if state ~= '' then redis.call('HSET', KEYS[1], 'state', state) end
  if state == 'running' then redis.call('HSETNX', KEYS[1], 'started', now) end
  if final[state] or state == 'waiting' then redis.call('HSET', KEYS[1], 'result', data, 'finished', now) end
  for _, key in ipairs(KEYS) do redis.call('EXPIRE', key, ttl) end
  redis.call('PUBLISH', KEYS[2], '')
end
"""
CREATE = (
    COMMON
    + """
redis.call('HSET', KEYS[1], 'state', 'queued', 'created', now, 'beat', now, unpack(ARGV, 4))
redis.call('EXPIRE', KEYS[1], ARGV[1])
redis.call('LPUSH', KEYS[2], ARGV[3])
redis.call('LTRIM', KEYS[2], 0, ARGV[2] - 1)
redis.call('EXPIRE', KEYS[2], ARGV[1])
return 1
"""
)
"""KEYS: record, runs of the thread. ARGV: ttl, most runs, the run's id, fields and values."""
APPEND = (
    COMMON
    + """
local state = redis.call('HGET', KEYS[1], 'state')
if not state or final[state] then return 0 end
if ARGV[4] ~= '' and (redis.call('HGET', KEYS[1], 'part') or '0') ~= ARGV[4] then return 0 end
for i = 5, #ARGV, 3 do add(tonumber(ARGV[i]), ARGV[i + 1], ARGV[i + 2], ARGV[2]) end
keep(ARGV[3], ARGV[#ARGV], ARGV[1])
return 1
"""
)
"""ARGV: ttl, most events, new state or '', the part of the run that writes or '', then number, name and data of each
event. Gives 0 once the run is over, or another process goes on with it."""
GO_ON = (
    COMMON
    + """
local state = redis.call('HGET', KEYS[1], 'state')
if state ~= 'waiting' and state ~= 'error' then return -1 end
redis.call('HSET', KEYS[1], 'state', 'queued', 'beat', now, 'part', last)
redis.call('HDEL', KEYS[1], 'result', 'finished')
keep('', '', ARGV[1])
return last
"""
)
"""ARGV: ttl. Takes a run that waits, or whose process died while it went on, for this process: gives its last event's
number, or -1 when there is none to take."""
ATTACH = """
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[1])
return 1
"""
"""KEYS: record. ARGV: ttl, name, value."""
BEAT = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
for _, key in ipairs(KEYS) do
  if redis.call('EXISTS', key) == 1 then redis.call('HSET', key, 'beat', now) end
end
return 1
"""
"""KEYS: records of the runs of one process."""
GET = (
    COMMON
    + """
local state = redis.call('HGET', KEYS[1], 'state')
local works = state and state ~= 'waiting' and not final[state] and redis.call('EXISTS', KEYS[3]) == 0
if works and now - tonumber(redis.call('HGET', KEYS[1], 'beat')) > tonumber(ARGV[3]) then
  local data = redis.call('HGET', KEYS[1], 'language') == 'zh' and ARGV[5] or ARGV[4]
  add(last + 1, 'error', data, ARGV[2])
  keep('error', data, ARGV[1])
end
return redis.call('HGETALL', KEYS[1])
"""
)
"""ARGV: ttl, most events, age in ms at which a run is lost, data of its last event then in English and in Chinese.

Gives the record. A run of which steps are kept is not lost. KEYS: record, stream, steps.
"""
