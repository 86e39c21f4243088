#!/bin/sh
# ucumvert takes UCUM's cubic foot for the hundredth part of a foot, and a Calorie for a calorie.
#
# Expected: `[cft_i]` is a volume, 0.028 316 846 592 m³, and `[Cal]` of a nutrition label 4184 J, as
#   the table of UCUM says that the package itself ships (vendor/ucum-essence.xml: `[cft_i]` is
#   "cubic foot, volume", 1 `[ft_i]3`, and takes no prefix). Freight and food are labelled in them.
# Seen (ucumvert 0.3.2 with pint 0.25.3): `[cft_i]` is 0.003 048 m and `[cyd_i]`, the cubic yard,
#   0.009 144 m: pint leaves the brackets out and reads the c as centi, of a foot and of a yard.
#   `[Cal]` is 4.184 J, a thousandth; `[rd_br]`, a rod, is 42 cm instead of 5 m. Nothing is raised.
#   `[cin_i]`, the cubic inch, is right, and so are the square units beside them.
#
# Runs without any other project. Exits 0 while ucumvert does this, 1 once it does not.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    "ucumvert==0.3.2" "pint==0.25.3"
"$folder/venv/bin/python" - <<'PYTHON'
import sys
import xml.etree.ElementTree as ElementTree
from importlib.metadata import version
from importlib.resources import files

from ucumvert import PintUcumRegistry

registry = PintUcumRegistry()
table = ElementTree.fromstring((files("ucumvert") / "vendor/ucum-essence.xml").read_bytes())
print("ucumvert", version("ucumvert"), "with pint", version("pint"))
is_right = {}
for unit in table.findall("{*}unit"):
    code = unit.get("Code")
    if code not in ("[cft_i]", "[cyd_i]", "[cin_i]", "[sft_i]", "[ft_i]", "[Cal]", "[rd_br]"):
        continue
    by_code = registry.from_ucum(code).to_base_units()
    value = unit.find("{*}value")
    by_table = (float(value.get("value")) * registry.from_ucum(value.get("Unit"))).to_base_units()
    is_right[code] = by_code.is_compatible_with(by_table) and abs(by_code / by_table - 1) < 1e-6
    print(f"{code} ({unit.findtext('{*}name')}): {by_code:.6g~P}; by its table {by_table:.6g~P}")
wrong = {code for code, is_so in is_right.items() if not is_so}
print("unlike the table:", sorted(wrong), "of", len(is_right))
does_so = wrong == {"[cft_i]", "[cyd_i]", "[Cal]", "[rd_br]"} and len(is_right) == 7
sys.exit(0 if does_so else 1)
PYTHON
