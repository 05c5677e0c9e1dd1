from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo
import calendar

HOLIDAYS = {
    (1, 1): "New Year",
    (5, 1): "Labour Day",
    (12, 25): "Christmas Day",
    (12, 26): "Boxing Day",
}


def easter(year):
    """Easter Sunday of a year, Gregorian calendar."""
    a = year % 19
    b, c = divmod(year, 100)
    d, e = divmod(b, 4)
    f = (b + 8) // 25
    g = (b - f + 1) // 3
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    l = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * l) // 451
    month, day = divmod(h + l - 7 * m + 114, 31)
    return date(year, month, day + 1)


def holidays(year):
    days = {date(year, month, day): name for (month, day), name in HOLIDAYS.items()}
    sunday = easter(year)
    days[sunday - timedelta(days=2)] = "Good Friday"
    days[sunday + timedelta(days=1)] = "Easter Monday"
    return days


def is_working_day(day):
    if day.weekday() >= 5:
        return False
    return day not in holidays(day.year)


def add_working_days(start, count):
    step = timedelta(days=1 if count >= 0 else -1)
    current = start
    remaining = abs(count)
    while remaining > 0:
        current += step
        if is_working_day(current):
            remaining -= 1
    return current


def working_days_between(start, end):
    if end < start:
        start, end = end, start
    days = (end - start).days
    return sum(is_working_day(start + timedelta(days=i)) for i in range(days))


def parse_date(text):
    for fmt in ("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y"):
        try:
            return datetime.strptime(text, fmt).date()
        except ValueError:
            continue
    raise ValueError(f"not a date: {text!r}")


def age(birthday, today=None):
    today = today or date.today()
    years = today.year - birthday.year
    # not yet had a birthday this year
    if (today.month, today.day) < (birthday.month, birthday.day):
        years -= 1
    return years


def last_day_of_month(day):
    _, last = calendar.monthrange(day.year, day.month)
    return day.replace(day=last)


def convert(moment, source, target):
    return moment.replace(tzinfo=ZoneInfo(source)).astimezone(ZoneInfo(target))


if __name__ == "__main__":
    deadline = add_working_days(date.today(), 10)
    print("Ten working days from now:", deadline.strftime("%A, %d %B %Y"))
    meeting = datetime(2024, 3, 1, 15, 30)
    print(convert(meeting, "Europe/Berlin", "America/New_York").isoformat())
