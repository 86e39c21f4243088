"""What the last answer of a checkout showed: the order is placed for exactly that, or not at all.

It is kept beside what the agent wants, under `shown`. A row without it (of an older version)
showed nothing, so its first completion only shows. What the answer said stands under `said`, for
the desk.
"""

from typing import Any

from orders.agents.basket import Basket
from orders.agents.envelope import Message, minor
from orders.models import AgentCheckout
from orders.quotes.parcel import Quote

_KEY, _SAID = "shown", "said"


def is_as_shown(checkout: AgentCheckout, basket: Basket, quote: Quote | None) -> bool:
    """Tell whether lines, prices and totals are those of the last answer."""
    return bool(checkout.wanted.get(_KEY) == _terms(basket, quote))


def keep_shown(
    checkout: AgentCheckout, basket: Basket, quote: Quote | None, messages: list[Message]
) -> None:
    """Keep what this answer shows and says.

    A row that another request has changed since it was read stays as it is: that request's answer
    is the last one.
    """
    if is_as_shown(checkout, basket, quote) and said(checkout) == messages:
        return
    wanted = {**checkout.wanted, _KEY: _terms(basket, quote), _SAID: messages}
    is_over = (AgentCheckout.Stage.COMPLETED, AgentCheckout.Stage.CANCELED)
    unchanged = AgentCheckout.objects.filter(pk=checkout.pk, wanted=checkout.wanted)
    if unchanged.exclude(stage__in=is_over).update(wanted=wanted):
        checkout.wanted = wanted


def shown_terms(checkout: AgentCheckout) -> dict[str, Any]:
    """Return what the last answer showed, as `_terms` has it; empty: nothing."""
    return dict(checkout.wanted.get(_KEY) or {})


def said(checkout: AgentCheckout) -> list[Message]:
    """Return the messages of the last answer."""
    return list(checkout.wanted.get(_SAID) or [])


def _terms(basket: Basket, quote: Quote | None) -> dict[str, Any]:
    """Return units and amounts, in minor units, as JSON keeps them."""
    return {
        "lines": [
            [line.product.sku, line.quantity, minor(line.product.price)] for line in basket.lines
        ],
        "discount": minor(basket.discounts.amount),
        "delivery": None if quote is None else minor(quote.price),
        "total": minor(basket.total(quote)),
    }
