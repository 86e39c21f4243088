#!/bin/sh
# python-stdnum reads the text under a GS1 bar code, and lets the serial number run into the batch.
#
# Expected: `(01)…(17)280531(10)A7(21)0042`, as GS1 prints it for people (General Specifications,
#   4.14: brackets around each identifier), is a GTIN, a date, a batch and a serial number. The
#   library takes brackets, and its own examples have them.
# Seen (python-stdnum 2.2): the brackets are taken out before anything is read, so where a field of
#   variable length ends is lost: `info` gives the batch `A7210042` and no serial number, `is_valid`
#   says True, `validate` returns a number for it. A price of 10.50 that stands before a date,
#   `(3922)1050(17)280531`, becomes 1050172805.31. That order, batch and serial last, is the one
#   that medicines and medical devices have. Brackets inside of a value, which GS1 allows too, are
#   dropped as well: a scanner's `10A(7)` is batch `A7`. `parse_hri` of biip reads the text right.
#
# Runs without any other project. Exits 0 while python-stdnum does this, 1 once it does not.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    "python-stdnum==2.2" "biip==5.2.0"
"$folder/venv/bin/python" - <<'PYTHON'
import sys
from decimal import Decimal
from importlib.metadata import version

from biip.gs1_messages import GS1Message
from stdnum import gs1_128

print("python-stdnum", version("python-stdnum"), "· biip", version("biip"))
LABEL = "(01)04012345123456(17)280531(10)A7(21)0042"
PRICE = "(01)04012345123456(3922)1050(17)280531"
for text in (LABEL, PRICE, "(10)A7(21)0042", "10A(7)"):
    print(text, "valid:", gs1_128.is_valid(text))
    print("   stdnum:", {ai: str(value) for ai, value in gs1_128.info(text).items()})
    if text[0] == "(":
        parts = GS1Message.parse_hri(text).element_strings
        print("   biip:  ", {part.ai.ai: part.value for part in parts})
print("validate:", gs1_128.validate(LABEL))
scanned = LABEL.replace("(21)", "\x1d21")  # as a scanner gives it, with the separator FNC1
does_so = (
    gs1_128.is_valid(LABEL)
    and gs1_128.info(LABEL)["10"] == "A7210042"
    and "21" not in gs1_128.info(LABEL)
    and gs1_128.info(PRICE)["3922"] == Decimal("1050172805.31")
    and gs1_128.info("10A(7)") == {"10": "A7"}
    and gs1_128.info(scanned, separator="\x1d")["21"] == "0042"
    and [part.value for part in GS1Message.parse_hri(LABEL).element_strings][2:] == ["A7", "0042"]
)
sys.exit(0 if does_so else 1)
PYTHON
