#!/bin/sh
# holidays forgets a country's weekend as soon as one day of one's own is added with `+`.
#
# Expected: `country_holidays("IL") + own`, the operator that the library has for joining calendars,
#   is Israel's calendar with one more holiday: `is_working_day` changes on that day alone.
# Seen (holidays 0.109): the sum keeps the holidays, and drops what the country knows of its weekend
#   (`weekend`) and of the Saturdays and Sundays that are worked in exchange (`weekend_workdays`).
#   Saturday and Sunday are free then, everywhere. In 18 countries, among them Egypt, Israel and
#   Saudi Arabia, each Friday becomes a working day and each Sunday a free one: a hundred days of
#   2026 change. Hong Kong and Venezuela lose their Saturdays; China and Hungary the weekends that
#   they work. `get_nth_working_day`, "delivered in three working days", errs alike. No warning;
#   `own + country` does the same. `update()` instead of `+` is right.
#
# Runs without any other project. Exits 0 while holidays does this, 1 once it does not.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "holidays==0.109"
"$folder/venv/bin/python" - <<'PYTHON'
import sys
from collections import defaultdict
from datetime import date, timedelta

import holidays

print("holidays", holidays.__version__)
CLOSED = date(2026, 7, 15)  # a Wednesday
DAYS = [date(2026, 1, 1) + timedelta(days=number) for number in range(365)]


def changed(before, after):
    return [day for day in DAYS if before.is_working_day(day) != after.is_working_day(day)]


def joined(country):
    own = holidays.HolidayBase()
    own.append({CLOSED: "Stocktaking"})
    return holidays.country_holidays(country, years=2026) + own


by_weekend = defaultdict(list)
for country in sorted(holidays.list_supported_countries(include_aliases=False)):
    alone = holidays.country_holidays(country, years=2026)
    days = [day for day in changed(alone, joined(country)) if day != CLOSED]
    if days:
        by_weekend[tuple(sorted(alone.weekend))].append(f"{country} {len(days)}")
for weekend, countries in by_weekend.items():
    print(f"weekend {weekend} (0: Monday), days of 2026 that change: {', '.join(countries)}")

alone, total = holidays.country_holidays("IL", years=2026), joined("IL")
thursday = "2026-01-08"
answers = [calendar.get_nth_working_day(thursday, 1) for calendar in (alone, total)]
shown = [f"{answer:%a %d %b}" for answer in answers]
print(f"Israel, the working day after {thursday}: {shown[0]}, with `+`: {shown[1]}")
updated = holidays.country_holidays("IL", years=2026)
updated.update({CLOSED: "Stocktaking"})
does_so = (
    len(changed(alone, total)) > 90
    and answers == [date(2026, 1, 11), date(2026, 1, 9)]
    and changed(alone, updated) == [CLOSED]
    and changed(holidays.country_holidays("DE", years=2026), joined("DE")) == [CLOSED]
    and date(2026, 1, 4) in changed(holidays.country_holidays("CN", years=2026), joined("CN"))
)
sys.exit(0 if does_so else 1)
PYTHON
