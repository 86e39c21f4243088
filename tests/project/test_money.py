from decimal import Decimal

import pytest
from django.template import Context, Template
from django.utils import translation

from project.templatetags.money import money


@pytest.mark.parametrize(
    ("language", "amount", "currency", "written"),
    [
        ("en", "12.30", "EUR", "€12.30"),
        ("en", "1234567.5", "EUR", "€1,234,567.50"),
        ("en", "0", "GBP", "£0.00"),
        ("en", "-3", "USD", "-$3.00"),
        ("en", "12", "CHF", "CHF\u00a012.00"),
        ("en", "1200.00", "JPY", "¥1,200"),
        ("en", "8.8", "CNY", "CN¥8.80"),
        ("zh-hans", "12345.6", "CNY", "¥12,345.60"),
        ("zh-hans", "5", "USD", "US$5.00"),
        ("zh-hans", "5", "EUR", "€5.00"),
        ("de", "1234.5", "EUR", "€1.234,50"),
    ],
)
def test_amounts_are_written_as_people_of_the_language_do(language, amount, currency, written):
    with translation.override(language):
        assert money(Decimal(amount), currency) == written


def test_templates_write_frozen_text_amounts_too():
    template = Template("{% load money %}{{ total|money:currency }}")

    assert template.render(Context({"total": "9.90", "currency": "EUR"})) == "€9.90"
