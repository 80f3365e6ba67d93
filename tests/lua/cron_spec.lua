local cron = require "perigee.cron"
local spec = require "spec"
local describe, it, equal = spec.describe, spec.it, spec.equal

-- A time in UTC, "2026-03-29 01:00", as seconds since 1970, and back.
local function seconds(text)
  local year, month, day, hour, minute, second = text:match("^(%d+)-(%d+)-(%d+) (%d+):(%d+):?(%d*)$")
  local days = 0
  for y = 1970, year - 1 do
    days = days + ((y % 4 == 0 and y % 100 ~= 0 or y % 400 == 0) and 366 or 365)
  end
  local leap = (year % 4 == 0 and year % 100 ~= 0 or year % 400 == 0) and 1 or 0
  local lengths = { 31, 28 + leap, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 }
  for m = 1, month - 1 do
    days = days + lengths[m]
  end
  return (days + day - 1) * 86400 + hour * 3600 + minute * 60 + (tonumber(second) or 0)
end

local function text(time)
  return os.date("!%Y-%m-%d %H:%M", time)
end

-- Berlin in 2026: forward on 29 March at 01:00 UTC, back on 25 October at 01:00 UTC.
local function berlin(time)
  return time >= seconds "2026-03-29 01:00" and time < seconds "2026-10-25 01:00" and 7200 or 3600
end

-- The next `count` times after `from`, in UTC.
local function times(expression, from, count, offset_of)
  local schedule, list, time = assert(cron.parse(expression, offset_of or cron.utc)), {}, seconds(from)
  for i = 1, count do
    time = cron.after(schedule, time)
    list[i] = text(time)
  end
  return table.concat(list, ", ")
end

describe("a cron expression", function()
  it("names times by lists, ranges, steps and names", function()
    local cases = {
      { "* * * * *", "2026-01-01 00:00", 2, "2026-01-01 00:01, 2026-01-01 00:02" },
      { "*/5 * * * *", "2026-01-01 00:58:30", 2, "2026-01-01 01:00, 2026-01-01 01:05" },
      { "10-30/10 8,20 * * *", "2026-01-01 08:20", 3, "2026-01-01 08:30, 2026-01-01 20:10, 2026-01-01 20:20" },
      { "50/4 23 31 12 *", "2026-01-01 00:00", 4,
        "2026-12-31 23:50, 2026-12-31 23:54, 2026-12-31 23:58, 2027-12-31 23:50" },
      { "0 9 * jan,MAR mon-fri", "2026-01-30 09:00", 2, "2026-03-02 09:00, 2026-03-03 09:00" },
      { "0 0 * * 7", "2026-01-01 00:00", 2, "2026-01-04 00:00, 2026-01-11 00:00" },
      { "0 0 * * fri-sun", "2026-01-01 00:00", 4,
        "2026-01-02 00:00, 2026-01-03 00:00, 2026-01-04 00:00, 2026-01-09 00:00" },
      { "0 0 29 2 *", "2096-03-01 00:00", 1, "2104-02-29 00:00" },
      { "  0   0 1 1   * ", "2026-01-01 00:00", 1, "2027-01-01 00:00" },
      { "@daily", "2026-02-28 12:00", 1, "2026-03-01 00:00" },
      { "@hourly", "2026-02-28 12:00", 1, "2026-02-28 13:00" },
    }
    for _, case in ipairs(cases) do
      equal(case[4], times(case[1], case[2], case[3]))
    end
  end)

  it("takes either kind of day where both are named, and both where one begins with a star", function()
    equal("2026-01-09 00:00, 2026-01-13 00:00, 2026-01-16 00:00", times("0 0 13 * fri", "2026-01-03 00:00", 3))
    equal("2026-02-13 00:00, 2026-03-13 00:00", times("0 0 13 * *", "2026-01-14 00:00", 2))
    equal("2026-01-09 00:00", times("0 0 */2 * fri", "2026-01-03 00:00", 1))
  end)

  it("that is wrong is refused with its field", function()
    local cases = {
      { "* * * *", "five fields are needed" },
      { "* * * * * *", "not 6" },
      { "", "not 0" },
      { "60 * * * *", "minute: '60' is not from 0 to 59" },
      { "* 24 * * *", "hour: '24' is not from 0 to 23" },
      { "* * 0 * *", "day of the month: '0' is not from 1 to 31" },
      { "* * * 13 *", "month: '13' is not from 1 to 12, nor a name" },
      { "* * * * 8", "day of the week: '8' is not from 0 to 7, nor a name" },
      { "* * * foo *", "month: 'foo' is not" },
      { "mon * * * *", "minute: 'mon' is not" },
      { "*/0 * * * *", "minute: the step 0" },
      { "30-10 * * * *", "minute: '30-10' ends before it begins" },
      { "1,,2 * * * *", "minute: an empty item" },
      { ", * * * *", "minute: an empty item" },
      { "1- * * * *", "minute: '1-' is not" },
      { "-1 * * * *", "minute: '-1' is not" },
      { "1.5 * * * *", "minute: '1.5' is not" },
      { "*/x * * * *", "minute: '*/x' is not" },
      { "0x1 * * * *", "minute: '0x1' is not" },
      { "0 0 30 2 *", "there is no such day" },
      { "0 0 31 4,6 *", "there is no such day" },
      { "@often", "five fields are needed" },
    }
    for _, case in ipairs(cases) do
      local schedule, err = cron.parse(case[1], cron.utc)
      equal(nil, schedule)
      equal(true, err:find("bad cron expression '" .. case[1] .. "': ", 1, true) == 1)
      if not err:find(case[2], 1, true) then
        error(("%q is not in %q"):format(case[2], err))
      end
    end
  end)
end)

describe("a clock that is set forward", function()
  it("runs what it leaves out as much later", function()
    equal("2026-03-28 01:30, 2026-03-29 01:30, 2026-03-30 00:30", times("30 2 * * *", "2026-03-28 00:00", 3, berlin))
  end)

  it("runs once what falls together", function()
    equal("2026-03-29 01:30, 2026-03-30 00:30", times("30 2,3 * * *", "2026-03-29 00:30", 2, berlin))
  end)

  it("goes on by the minute", function()
    equal("2026-03-29 00:45, 2026-03-29 01:00, 2026-03-29 01:15", times("*/15 * * * *", "2026-03-29 00:30", 3, berlin))
  end)
end)

describe("a clock that is set back", function()
  it("runs the first time only what comes twice", function()
    equal("2026-10-24 00:30, 2026-10-25 00:30, 2026-10-26 01:30", times("30 2 * * *", "2026-10-23 12:00", 3, berlin))
  end)

  it("goes on by the minute in both hours", function()
    equal("2026-10-25 00:30, 2026-10-25 01:00, 2026-10-25 01:30, 2026-10-25 02:00",
      times("*/30 * * * *", "2026-10-25 00:00", 4, berlin))
  end)
end)

describe("the local clock", function()
  it("is ahead of UTC by what the system says", function()
    for _, time in ipairs { 0, seconds "2026-01-01 12:00", seconds "2026-07-01 12:00" } do
      local date = os.date("*t", time)
      date.isdst = nil
      equal(time, os.time(date))
      local far = cron.local_time(time)
      equal(0, far % 60)
      equal(os.date("%H:%M", time), os.date("!%H:%M", time + far))
    end
  end)
end)
