"""The words of each paper, in its language: what `paper.typ` lays out.

A paper is written from its context alone. Amounts get their form here, and no text is code.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from project.templatetags.money import money

REGIONS = {"en": ("en", "gb"), "zh-hans": ("zh", "cn")}
"""Typst's language and region by ours: they choose how lines break and how signs look."""


def write(recipe: str, context: dict[str, Any]) -> dict[str, Any]:
    """Return the paper's texts in the language of its context."""
    with translation.override(context["language"]):
        language, region = REGIONS[context["language"]]
        return {
            **_WRITERS[recipe](context),
            "language": language,
            "region": region,
            "page": _("Page {page} of {pages}"),
        }


def file_name(recipe: str, context: dict[str, Any]) -> str:
    """Return the name of the paper's file, without its extension; at most 20 characters."""
    ending = {"packing_slip": "-slip", "pick_list": "-pick"}.get(recipe, "")
    return f"{context['paper_number'][:15]}{ending}"


def _invoice(context: dict[str, Any]) -> dict[str, Any]:
    seller, currency = context["seller"], context["currency"]
    is_credit = context["kind"] == "credit_note"
    taxes = _taxes(context)
    is_taxed = any(Decimal(part["rate"]) for part in taxes)
    taxed = [
        *([_column(_("Tax rate"), is_number=True)] if len(taxes) > 1 else []),
        _column(_("Net"), is_number=True),
        _column(_("Tax"), is_number=True),
    ]
    return {
        "title": _("Credit note") if is_credit else _("Invoice"),
        "number": context["paper_number"],
        "sender": seller["name"],
        "from": " · ".join([seller["name"], *seller["address"]]),
        "recipient": context["buyer"],
        "facts": [
            [
                _("Credit note number") if is_credit else _("Invoice number"),
                context["paper_number"],
            ],
            [_("Date"), context["date"]],
            *([[_("For invoice"), context["invoice"]]] if is_credit else []),
            [_("Order"), context["order"]],
            [_("Order date"), context["order_date"]],
        ],
        "columns": [
            _column(_("Product"), is_wide=True),
            _column(_("Quantity"), is_number=True),
            _column(_("Unit price"), is_number=True),
            *(taxed if is_taxed else []),
            _column(_("Total"), is_number=True),
        ],
        "rows": [
            [
                {"text": line["name"], "small": line["sku"]},
                str(line["quantity"]),
                money(line["unit_price"], currency),
                *([_rate(line["rate"])] if len(taxes) > 1 else []),
                *([money(line["net"], currency), money(line["tax"], currency)] if is_taxed else []),
                money(line["total"], currency),
            ]
            for line in context["lines"]
        ],
        "splits": False,
        "sums": _sums(context, taxes),
        "notes": (
            _credit_notes(context) if is_credit else _payment_notes(context, is_taxed=is_taxed)
        ),
        "footer": [
            seller["name"],
            _("Tax number: %s") % seller["tax_id"],
            *([f"IBAN: {seller['iban']}"] if seller["iban"] else []),
        ],
    }


def _taxes(context: dict[str, Any]) -> list[dict[str, str]]:
    """Return net and tax by rate. A paper of before there were several rates has one for all."""
    taxes: list[dict[str, str]] | None = context.get("taxes")
    return taxes or [{name: context[name] for name in ("rate", "net", "tax")}]


def _sums(context: dict[str, Any], taxes: list[dict[str, str]]) -> list[dict[str, Any]]:
    currency, rates = context["currency"], [_rate(part["rate"]) for part in taxes]
    if len(taxes) > 1:
        tax = [
            _sum(text % {"rate": rate}, part[name], currency)
            for part, rate in zip(taxes, rates, strict=True)
            for name, text in (("net", _("Net at %(rate)s")), ("tax", _("Tax %(rate)s")))
        ]
    elif Decimal(taxes[0]["rate"]):
        tax = [
            _sum(_("Net"), context["net"], currency),
            _sum(_("Tax %(rate)s") % {"rate": rates[0]}, context["tax"], currency),
        ]
    else:
        tax = []
    return [*tax, _sum(_("Total"), context["total"], currency, is_strong=True)]


def _rate(rate: str) -> str:
    return f"{Decimal(rate).normalize():f} %"


def _payment_notes(context: dict[str, Any], *, is_taxed: bool) -> list[str]:
    due, currency = Decimal(context["due"]), context["currency"]
    facts = {
        "due": money(due, currency),
        "iban": context["seller"]["iban"],
        "order": context["order"],
    }
    notes = [] if is_taxed else [_("No tax is charged.")]
    if not due:
        return [*notes, _("Paid. Thank you.")]
    if not facts["iban"]:
        return [*notes, _("To be paid: %(due)s. Please give %(order)s as the reference.") % facts]
    return [
        *notes,
        _("Please pay %(due)s to the account %(iban)s, with %(order)s as the reference.") % facts,
    ]


def _credit_notes(context: dict[str, Any]) -> list[str]:
    refers = _("This credit note corrects invoice %(invoice)s of %(invoice_date)s.") % context
    return [refers, *([context["reason"]] if context["reason"] else [])]


def _packing_slip(context: dict[str, Any]) -> dict[str, Any]:
    return {
        "title": _("Packing slip"),
        "number": context["paper_number"],
        "sender": context["shop_name"],
        "from": "",
        "recipient": context["recipient"],
        "facts": [
            [_("Order"), context["paper_number"]],
            [_("Order date"), context["order_date"]],
            [
                pgettext("packing slip", "Delivery"),
                _("Pickup in the shop") if context["is_pickup"] else _("By parcel"),
            ],
        ],
        "columns": [
            _column(_("Quantity"), is_number=True),
            _column(_("Product"), is_wide=True),
            _column(_("SKU")),
        ],
        "rows": [
            [
                f"{line['quantity']} ×",
                {"text": line["name"], "small": _files(line["files"])},
                line["sku"],
            ]
            for line in context["lines"]
        ],
        "splits": False,
        "sums": [],
        "notes": [_units(context["lines"])],
        "footer": [context["shop_name"]],
    }


def _pick_list(context: dict[str, Any]) -> dict[str, Any]:
    orders = context["orders"]
    return {
        "title": _("Pick list"),
        "number": context["paper_number"],
        "sender": context["shop_name"],
        "from": "",
        "recipient": [],
        "facts": [
            [_("Orders"), context["paper_number"] if orders == 1 else str(orders)],
            [_("Units"), str(sum(line["quantity"] for line in context["lines"]))],
        ],
        "columns": [
            _column(_("Shelf")),
            _column(_("Units"), is_number=True),
            _column(_("Product"), is_wide=True),
            _column(_("For the orders"), is_wide=True),
        ],
        "rows": [
            [
                line["shelf"] or "–",
                f"{line['quantity']} ×",
                {"text": line["name"], "small": line["sku"]},
                line["orders"],
            ]
            for line in context["lines"]
        ],
        "splits": True,
        "sums": [],
        "notes": [],
        "footer": [context["shop_name"]],
    }


def _column(label: str, *, is_wide: bool = False, is_number: bool = False) -> dict[str, Any]:
    return {"label": label, "wide": is_wide, "number": is_number}


def _sum(label: str, amount: str, currency: str, *, is_strong: bool = False) -> dict[str, Any]:
    return {"label": label, "value": money(amount, currency), "strong": is_strong}


def _files(count: int) -> str:
    if not count:
        return ""
    return ngettext(
        "with %(count)d file of the customer's", "with %(count)d files of the customer's", count
    ) % {"count": count}


def _units(lines: Sequence[dict[str, Any]]) -> str:
    count = sum(line["quantity"] for line in lines)
    return ngettext("%(count)d unit in all", "%(count)d units in all", count) % {"count": count}


_WRITERS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "invoice": _invoice,
    "packing_slip": _packing_slip,
    "pick_list": _pick_list,
}
