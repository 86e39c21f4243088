#!/bin/sh
# Babel counts the calendar weeks of `de` otherwise than those of `de_DE`, for whole years.
#
# Expected: `de`, as Django and browsers call the language, has the weeks of Germany. By CLDR (UTS
#   35) a locale without a region has that of its likely subtags, and `Intl.Locale("de")` of
#   JavaScript says so: the first week has at least four days, as in ISO 8601.
# Seen (Babel 2.19.0): a language alone has the week data of the world (001), where one day makes a
#   week. Where 1 January is a Friday, Saturday or Sunday, each week of the year has a number that
#   is one too high: 2021, 2022, 2023, 2027 and 2028, 1834 of 4018 days. "Delivery in week 25" means
#   a week that everybody else calls 24. So it is with `fr`, `sv`, `nl`, `pl` and `da`, too; `en`
#   begins its weeks on Monday, `en_US` on Sunday. Amounts of money are written alike.
#
# Runs without any other project. Exits 0 while Babel does this, 1 once it does not.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "babel==2.19.0"
"$folder/venv/bin/python" - <<'PYTHON'
import sys
from datetime import date, timedelta
from decimal import Decimal

import babel
from babel.core import get_global
from babel.dates import format_date
from babel.numbers import format_currency

print("Babel", babel.__version__)
REGIONS = {"de": "de_DE", "fr": "fr_FR", "sv": "sv_SE", "nl": "nl_NL", "pl": "pl_PL", "da": "da_DK"}
days = [date(2020, 1, 1) + timedelta(days=number) for number in range(4018)]  # up to 2030


def week(day, locale):
    return int(format_date(day, "w", locale=locale))


does_so = True
for language, region in REGIONS.items():
    assert get_global("likely_subtags")[language].endswith(region[-3:])  # Babel has the data
    wrong = [day for day in days if week(day, language) != day.isocalendar().week]
    right = all(week(day, region) == day.isocalendar().week for day in days)
    alike = format_currency(Decimal("1234.5"), "EUR", locale=language) == format_currency(
        Decimal("1234.5"), "EUR", locale=region
    )
    print(f"{language}: {len(wrong)} of {len(days)} days not as ISO 8601; {region} as ISO: {right}")
    does_so &= len(wrong) == 1834 and right and alike
for year in (2026, 2027):
    day = date(year, 6, 14)
    print(day, "de: week", week(day, "de"), "· de_DE: week", week(day, "de_DE"))
first = {name: babel.Locale.parse(name).first_week_day for name in ("en", "en_US")}
print("first day of the week (0: Monday):", first)
does_so &= first == {"en": 0, "en_US": 6}
sys.exit(0 if does_so else 1)
PYTHON
