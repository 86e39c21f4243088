#!/bin/sh
# icalendar writes a time with an offset such that no calendar knows when it is, not even its own.
#
# Expected: a datetime of `2026-07-01T12:00:00+02:00`, as `fromisoformat` makes it of JSON, is
#   written in UTC (`DTSTART:20260701T100000Z`), or refused: RFC 5545 has no offsets (3.3.5).
# Seen (icalendar 7.3.2): it is written as `DTSTART;TZID="UTC+02:00":20260701T120000`. A TZID needs
#   a VTIMEZONE of its name (3.2.19); `add_missing_timezones`, which is made for that, adds none and
#   raises nothing. `Calendar.from_ical` reads the time back without a time zone, as noon wherever
#   the reader is, so a delivery's window moves by hours. UTC and zones with a name are right.
#
# Runs without any other project. Exits 0 while icalendar does this, 1 once it does not.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "icalendar==7.3.2"
"$folder/venv/bin/python" - <<'PYTHON'
import sys
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import icalendar

AT = datetime.fromisoformat("2026-07-01T12:00:00+02:00")


def written(at):
    calendar = icalendar.Calendar()
    calendar.add("prodid", "-//delivery//")
    calendar.add("version", "2.0")
    event = icalendar.Event()
    event.add("uid", "1")
    event.add("dtstamp", datetime(2026, 1, 1, tzinfo=UTC))
    event.add("dtstart", at)
    calendar.add_component(event)
    calendar.add_missing_timezones()
    return calendar.to_ical().decode()


print("icalendar", icalendar.__version__)
found = {}
for name, at in {
    "offset": AT,
    "UTC": AT.astimezone(UTC),
    "zone": AT.astimezone(ZoneInfo("Europe/Berlin")),
}.items():
    text = written(at)
    line = next(line for line in text.splitlines() if line.startswith("DTSTART") and "2026" in line)
    back = icalendar.Calendar.from_ical(text).walk("VEVENT")[0]["dtstart"].dt
    found[name] = (back.tzinfo is not None and back == AT, "BEGIN:VTIMEZONE" in text)
    print(f"{name}: {line} · VTIMEZONE: {found[name][1]} · read back: {back!r}")
expected = {"offset": (False, False), "UTC": (True, False), "zone": (True, True)}
sys.exit(0 if found == expected else 1)
PYTHON
