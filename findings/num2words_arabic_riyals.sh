#!/bin/sh
# num2words writes an amount of euros in Arabic as Saudi riyals.
#
# Expected: `num2words(…, to="currency", lang="ar", currency="EUR")` names euros, or raises
#   NotImplementedError, as it does in other languages for a currency that they lack (English: JPY).
# Seen (num2words 0.5.14): Arabic has words for the dinars of Tunisia and Kuwait and the pounds of
#   Egypt; each other code, EUR, USD and AED as well as none at all, gives ريال and هللة (riyals and
#   halalas). In many countries the amount in words is the one that binds on an invoice or cheque.
#   The dinar of Kuwait has two places there instead of three, so 12.500 are "12 dinars and 50
#   fils", a tenth of the 500 fils that they are. Tunisia's, with three places too, is right.
#
# Runs without any other project. Exits 0 while num2words does this, 1 once it does not.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "num2words==0.5.14"
"$folder/venv/bin/python" - <<'PYTHON'
import sys
from decimal import Decimal
from importlib.metadata import version

from num2words import num2words


def words(amount, language, currency):
    try:
        return num2words(Decimal(amount), to="currency", lang=language, currency=currency)
    except NotImplementedError:
        return "NotImplementedError"


print("num2words", version("num2words"))
arabic = {code: words("12.50", "ar", code) for code in ("SAR", "EUR", "USD", "AED", "XYZ", "EGP")}
for code, said in arabic.items():
    print(f"12.50 {code}: {said}")
english = words("12.50", "en", "JPY")
print("12.50 JPY in English:", english)
fils = words("12.500", "ar", "KWD")
millimes = words("12.500", "ar", "TND")
print(f"12.500 KWD: {fils}; TND: {millimes}")
riyals = {code for code, said in arabic.items() if "ريال" in said and "هللة" in said}
does_so = (
    riyals == {"SAR", "EUR", "USD", "AED", "XYZ"}
    and english == "NotImplementedError"
    and "خمسون فلس" in fils  # fifty
    and "خمسمائة مليماً" in millimes  # five hundred
)
sys.exit(0 if does_so else 1)
PYTHON
