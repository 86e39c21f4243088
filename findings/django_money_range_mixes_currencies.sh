#!/bin/sh
# django-money finds prices in euros between two amounts of dollars.
#
# Expected: `filter(price__range=(Money(1, "USD"), Money(20, "USD")))` finds what `price__gte` with
#   `price__lte` finds, as BETWEEN means in SQL. `update(price=F("price") + Money(1, "USD"))` is
#   refused in a row of euros, or leaves it: `line.price = F("price") + Money(1, "USD")` raises "You
#   cannot use F() with different currencies."
# Seen (django-money 3.6.2 with Django 5.2.19): `gte`, `lte`, `exact` and `in` ask for the currency,
#   too; `range` compares the bare numbers. So a price of 10 EUR lies between 1 and 20 USD, even
#   between 1 USD and 20 JPY, and `exclude` leaves it out. The update makes 11 EUR of 10 EUR and a
#   dollar. Nothing is raised or warned of, and in a test with one currency all is right.
#
# Runs without any other project. Exits 0 while django-money does this, 1 once it does not.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    "django==5.2.19" "django-money==3.6.2"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import django
from django.conf import settings

settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
)
django.setup()

import djmoney
from django.core.exceptions import ValidationError
from django.db import connection, models
from django.db.models import F
from djmoney.models.fields import MoneyField
from djmoney.money import Money


class Line(models.Model):
    price = MoneyField(max_digits=10, decimal_places=2, default_currency="EUR")

    class Meta:
        app_label = "shop"


with connection.schema_editor() as editor:
    editor.create_model(Line)
line = Line.objects.create(price=Money(10, "EUR"))
LOW, HIGH = Money(1, "USD"), Money(20, "USD")


def prices(**lookups):
    lines = Line.objects.filter(**lookups)
    return [f"{line.price.amount} {line.price.currency}" for line in lines]


print("django-money", djmoney.__version__, "· Django", django.__version__, "· one line of 10 EUR")
found = {
    "gte and lte, in USD": prices(price__gte=LOW, price__lte=HIGH),
    "in, 10 USD": prices(price__in=[Money(10, "USD")]),
    "range, in USD": prices(price__range=(LOW, HIGH)),
    "range, from USD to JPY": prices(price__range=(LOW, Money(20, "JPY"))),
}
for name, seen in found.items():
    print(f"{name}: {seen}")
is_left_out = not Line.objects.exclude(price__range=(LOW, HIGH)).exists()
print("exclude by the range in USD leaves the line out:", is_left_out)

refused = ""
try:
    line.price = F("price") + Money(1, "USD")
except ValidationError as error:
    refused = error.messages[0]
print("10 EUR and 1 USD assigned:", refused)
Line.objects.update(price=F("price") + Money(1, "USD"))
print("10 EUR and 1 USD by update():", prices())
does_so = (
    list(found.values()) == [[], [], ["10.00 EUR"], ["10.00 EUR"]]
    and is_left_out
    and "different currencies" in refused
    and prices() == ["11.00 EUR"]
)
sys.exit(0 if does_so else 1)
PYTHON
