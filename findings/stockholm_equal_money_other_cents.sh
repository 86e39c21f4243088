#!/bin/sh
# stockholm: two amounts in yen that are equal have minor units that differ a hundredfold.
#
# Expected: `Money(1500, "JPY").sub_units`, which payment providers are told, is 1500: the yen has
#   no smaller unit (ISO 4217, minor unit 0). The library knows that: `Currency.JPY` has it.
# Seen (stockholm 0.5.7): a currency that is named by its code is taken to have two decimal places,
#   whatever it is. So 150000 yen would be charged for 1500, and 150 dinars of Kuwait (150000
#   thousandths) for 1500. `from_sub_units` errs the other way. Texts are read so, too
#   (`Money("1500 JPY")`), and `Currency("JPY")` is so. With `Currency.JPY` all is right, and the
#   right amount and the wrong one are equal, so a test that compares amounts finds nothing.
#
# Runs without any other project. Exits 0 while stockholm does this, 1 once it does not.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "stockholm==0.5.7"
"$folder/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version

from stockholm import Currency, Money

print("stockholm", version("stockholm"))
does_so = True
for code, places in (("JPY", 0), ("KWD", 3), ("EUR", 2)):
    known = Money(1500, getattr(Currency, code))
    named = Money(1500, code)
    made = Money(1500, Currency(code))
    read = Money(f"1500 {code}")
    back = Money.from_sub_units(1500, code)
    print(
        f"{code}, {places} places: Currency.{code} {known.sub_units}, {code!r} {named.sub_units},"
        f" read {read.sub_units}; equal: {known == named == made == read}; of 1500 units: {back}"
    )
    does_so &= known == named == made == read
    does_so &= known.sub_units == 1500 * 10**places
    does_so &= named.sub_units == made.sub_units == read.sub_units == 150000
    does_so &= back == Money("15", code)
sys.exit(0 if does_so else 1)
PYTHON
