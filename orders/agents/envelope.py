"""The parts that all answers have: the `ucp` member, messages, links, and amounts of money."""

from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.conf import settings
from django.urls import reverse

from orders.agents.versions import VERSION
from project.currencies import decimal_places

Message = dict[str, Any]


def minor(amount: Decimal) -> int:
    """Return the amount in the currency's minor units: 1230 of 12.30 EUR, 1230 of 1230 JPY."""
    scaled = amount.scaleb(decimal_places(settings.SHOP_CURRENCY))
    return int(scaled.quantize(Decimal(1), ROUND_HALF_UP))


def major(units: int) -> Decimal:
    """Return the amount that so many minor units are."""
    return Decimal(units).scaleb(-decimal_places(settings.SHOP_CURRENCY))


def ucp(capabilities: Iterable[str], *, error: bool = False, **members: Any) -> dict[str, Any]:
    """Return the member that says by which version and capabilities the answer was made."""
    return {
        "version": VERSION,
        "status": "error" if error else "success",
        "capabilities": {name: [{"version": VERSION}] for name in sorted(capabilities)},
        **members,
    }


def error(code: str, content: str, *, path: str = "", severity: str = "recoverable") -> Message:
    """Return a message about what hinders the next step, and who can mend it."""
    return _message("error", code, content, path) | {"severity": severity}


def warning(code: str, content: str, *, path: str = "") -> Message:
    """Return a message that the buyer must be shown."""
    return _message("warning", code, content, path)


def info(code: str, content: str, *, path: str = "") -> Message:
    return _message("info", code, content, path)


def _message(kind: str, code: str, content: str, path: str) -> Message:
    return {"type": kind, "code": code, "content": content, **({"path": path} if path else {})}


def total(kind: str, amount: Decimal, text: str = "", **members: Any) -> dict[str, Any]:
    return {
        "type": kind,
        **({"display_text": text} if text else {}),
        "amount": minor(amount),
        **members,
    }


def site(path: str) -> str:
    """Return the absolute address of a page of the shop."""
    return f"{settings.SITE_URL}{path}"


def links() -> list[dict[str, str]]:
    """Return the pages that a platform shows beside a checkout."""
    return [{"type": "storefront", "url": site(reverse("shop")), "title": settings.SHOP_NAME}]


def without_nothing(members: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members that have a value."""
    return {name: value for name, value in members.items() if value not in (None, "", [], {})}
