-- Cron expressions: five fields, as crontab(5) has them, and the times that they name.

local M = {}

local MACROS = {
  ["@hourly"] = "0 * * * *", ["@daily"] = "0 0 * * *", ["@midnight"] = "0 0 * * *", ["@weekly"] = "0 0 * * 0",
  ["@monthly"] = "0 0 1 * *", ["@yearly"] = "0 0 1 1 *", ["@annually"] = "0 0 1 1 *",
}

-- The numbers of names, the first of which stands for `first`.
local function numbered(first, names)
  local numbers = {}
  for name in names:gmatch("%a+") do
    numbers[name] = first
    first = first + 1
  end
  return numbers
end

local FIELDS = {
  { name = "minute", low = 0, high = 59 },
  { name = "hour", low = 0, high = 23 },
  { name = "day of the month", low = 1, high = 31 },
  { name = "month", low = 1, high = 12, names = numbered(1, "jan feb mar apr may jun jul aug sep oct nov dec") },
  { name = "day of the week", low = 0, high = 7, names = numbered(0, "sun mon tue wed thu fri sat") },
}

local DAY = 86400
local FARTHEST = 366 * 8 + 1 -- days ahead: a leap day can be eight years away

local function number_of(text, field)
  local number = field.names and field.names[text:lower()] or text:match("^%d%d?$") and tonumber(text)
  if not number or number < field.low or number > field.high then
    return nil, ("'%s' is not from %d to %d%s"):format(text, field.low, field.high,
      field.names and ", nor a name of three letters" or "")
  end
  return number
end

-- One item of a list: "*", "5", "5-10", each perhaps with "/2".
local function range_of(item, field)
  local range, step = item:match("^([^/]+)/(%d%d?)$")
  range, step = range or item, step and tonumber(step)
  if step == 0 then
    return nil, "the step 0"
  elseif range == "*" then
    return field.low, field.high, step or 1
  end
  local from, to = range:match("^([^%-]+)%-([^%-]+)$")
  local low, err = number_of(from or range, field)
  if not low then
    return nil, err
  end
  local high = (to or step) and field.high or low
  if to then
    high, err = number_of(to, field)
  end
  high = high == 0 and field.high == 7 and 7 or high -- "fri-sun"
  if not high then
    return nil, err
  elseif high < low then
    return nil, ("'%s' ends before it begins"):format(range)
  end
  return low, high, step or 1
end

-- The set of a field's numbers, or nil and what is wrong.
local function set_of(text, field)
  local set = {}
  if text:find("^,") or text:find(",,") or text:find(",$") then
    return nil, "an empty item in its list"
  end
  for item in text:gmatch("[^,]+") do
    local low, high, step = range_of(item, field)
    if not low then
      return nil, high
    end
    for number = low, high, step do
      set[number] = true
    end
  end
  return set
end

-- Days since 1970-01-01 of a date of the Gregorian calendar, and back (H. Hinnant, "chrono-Compatible Low-Level Date
-- Algorithms").
local function days_of(year, month, day)
  year = month <= 2 and year - 1 or year
  local era = math.floor(year / 400)
  local of_era = year - era * 400
  local of_year = math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1
  return era * 146097 + of_era * 365 + math.floor(of_era / 4) - math.floor(of_era / 100) + of_year - 719468
end

local function date_of(days)
  days = days + 719468
  local era = math.floor(days / 146097)
  local of_era = days - era * 146097
  local leap_days = math.floor(of_era / 1460) - math.floor(of_era / 36524) + math.floor(of_era / 146096)
  local years = math.floor((of_era - leap_days) / 365)
  local of_year = of_era - (365 * years + math.floor(years / 4) - math.floor(years / 100))
  local shifted = math.floor((5 * of_year + 2) / 153)
  local day = of_year - math.floor((153 * shifted + 2) / 5) + 1
  local month = shifted < 10 and shifted + 3 or shifted - 9
  return years + era * 400 + (month <= 2 and 1 or 0), month, day
end

--- What clocks in UTC are ahead of UTC.
function M.utc()
  return 0
end

--- Seconds that the local clock is ahead of UTC at a time.
---@param time number seconds since 1970
function M.local_time(time)
  local date = os.date("*t", time)
  return days_of(date.year, date.month, date.day) * DAY + date.hour * 3600 + date.min * 60 + date.sec - math.floor(time)
end

---@class perigee.Schedule
---@field offset_of fun(time: number): number

--- Reads a cron expression.
---@param expression string
---@param offset_of fun(time: number): number seconds that its clock is ahead of UTC
---@return perigee.Schedule|nil
---@return string? err names the field
function M.parse(expression, offset_of)
  local function fail(why)
    return nil, ("bad cron expression '%s': %s"):format(expression, why)
  end
  local schedule, texts = { offset_of = offset_of }, {}
  for text in (MACROS[expression] or expression):gmatch("%S+") do
    texts[#texts + 1] = text
  end
  if #texts ~= #FIELDS then
    return fail(("five fields are needed, minute, hour, day of the month, month and day of the week, not %d"):format(
      #texts))
  end
  for i, field in ipairs(FIELDS) do
    local set, err = set_of(texts[i], field)
    if not set then
      return fail(field.name .. ": " .. err)
    end
    schedule[field.name] = set
  end
  local weekdays = schedule["day of the week"]
  weekdays[0] = weekdays[0] or weekdays[7]
  schedule.any_hour = texts[2]:sub(1, 1) == "*"
  -- As cron has it: where both kinds of days are named, either will do.
  schedule.either = texts[3]:sub(1, 1) ~= "*" and texts[5]:sub(1, 1) ~= "*"
  if not M.after(schedule, 0) then
    return fail("day of the month: there is no such day in these months")
  end
  return schedule
end

local function takes_day(schedule, days)
  local _, month, day = date_of(days)
  if not schedule.month[month] then
    return false
  end
  local by_date = schedule["day of the month"][day]
  local by_week = schedule["day of the week"][(days + 4) % 7] -- 1970-01-01 was a Thursday
  return schedule.either and (by_date or by_week) or not schedule.either and by_date and by_week
end

-- The first time after `time` in a day on which the clock is set forward or back.
local function after_in_odd_day(schedule, days, time, early, late)
  local first = math.huge
  for minute = 0, 1439 do
    if schedule.hour[math.floor(minute / 60)] and schedule.minute[minute % 60] then
      local wall = days * DAY + minute * 60
      local one, two = wall - early, wall - late
      local before = schedule.offset_of(one) == early -- shown by the clock as it was before
      local then_too = schedule.offset_of(two) == late -- and as it is after: twice, if both
      local due = (before or not then_too) and one or two
      if due <= time and before and then_too and schedule.any_hour then
        due = two
      end
      first = due > time and due < first and due or first
    end
  end
  return first < math.huge and first or nil
end

local function after_in_day(schedule, days, time)
  local early, late = schedule.offset_of((days - 1) * DAY), schedule.offset_of((days + 2) * DAY)
  if early ~= late then
    return after_in_odd_day(schedule, days, time, early, late)
  end
  for hour = 0, 23 do
    local begin = days * DAY + hour * 3600 - early
    if schedule.hour[hour] and begin + 3600 > time then
      for minute = 0, 59 do
        if schedule.minute[minute] and begin + minute * 60 > time then
          return begin + minute * 60
        end
      end
    end
  end
  return nil
end

--- The first time after `time` that a schedule names; nil when there is none within eight years.
---
--- Where the clock is set forward, a time that it leaves out comes as much later as it is set; where it is set back, a
--- time that comes twice counts the first time, and both times where the hour is "*".
---@param schedule perigee.Schedule
---@param time number seconds since 1970
---@return number|nil
function M.after(schedule, time)
  local today = math.floor((time + schedule.offset_of(time)) / DAY)
  for days = today - 1, today + FARTHEST do -- a clock set back at midnight shows yesterday once more
    if takes_day(schedule, days) then
      local due = after_in_day(schedule, days, time)
      if due then
        return due
      end
    end
  end
  return nil
end

return M
