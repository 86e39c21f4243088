"""The operations of the shopping service by their names, for both transports."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from orders.agents import carts, catalog, checkouts, completing, order_entity
from orders.agents.blocking import refuse_blocked
from orders.agents.envelope import error, site, ucp
from orders.agents.errors import Outcome
from orders.agents.keys import Answer, once
from orders.agents.negotiation import Session
from orders.agents.versions import CART, CHECKOUT, LOOKUP, ORDER, SEARCH

Reads = Callable[[Session, Any], dict[str, Any]]
Does = Callable[[Session, UUID, Any, UUID], Answer]


@dataclass(frozen=True)
class Operation:
    root: str
    """The capability that it belongs to."""
    payload: str
    """The name of its payload over MCP; empty: it has none."""
    do: Does
    is_changing: bool = True
    """It takes an Idempotency-Key."""
    has_target: bool = True
    """It is about one resource, by its id."""
    is_signed: bool = True
    """Its answer is signed."""
    describes: str = ""


def _read(read: Reads) -> Does:
    return lambda session, target, payload, new: (200, read(session, payload))


OPERATIONS: dict[str, Operation] = {
    "search_catalog": Operation(
        SEARCH,
        "catalog",
        _read(catalog.search),
        is_changing=False,
        has_target=False,
        is_signed=False,
        describes="Search the shop's products by words, category and price.",
    ),
    "lookup_catalog": Operation(
        LOOKUP,
        "catalog",
        _read(catalog.lookup),
        is_changing=False,
        has_target=False,
        is_signed=False,
        describes="Read several products by their ids.",
    ),
    "get_product": Operation(
        LOOKUP,
        "catalog",
        _read(catalog.get_product),
        is_changing=False,
        has_target=False,
        is_signed=False,
        describes="Read one product with its variants and what is available.",
    ),
    "create_cart": Operation(
        CART,
        "cart",
        lambda session, target, payload, new: carts.create_cart(session, payload, cart_id=new),
        has_target=False,
        describes="Make a cart.",
    ),
    "get_cart": Operation(
        CART,
        "",
        lambda session, target, payload, new: (200, carts.get_cart(session, target)),
        is_changing=False,
        describes="Read a cart.",
    ),
    "update_cart": Operation(
        CART,
        "cart",
        lambda session, target, payload, new: (200, carts.update_cart(session, target, payload)),
        describes="Replace a cart's contents.",
    ),
    "cancel_cart": Operation(
        CART,
        "",
        lambda session, target, payload, new: (200, carts.cancel_cart(session, target)),
        describes="Cancel a cart.",
    ),
    "create_checkout": Operation(
        CHECKOUT,
        "checkout",
        lambda session, target, payload, new: checkouts.create_checkout(
            session, payload, checkout_id=new
        ),
        has_target=False,
        describes="Begin a checkout of some products, or of a cart.",
    ),
    "get_checkout": Operation(
        CHECKOUT,
        "",
        lambda session, target, payload, new: (200, checkouts.get_checkout(session, target)),
        is_changing=False,
        describes="Read a checkout.",
    ),
    "update_checkout": Operation(
        CHECKOUT,
        "checkout",
        lambda session, target, payload, new: (
            200,
            checkouts.update_checkout(session, target, payload),
        ),
        describes="Change a checkout: products, buyer, delivery, discount codes.",
    ),
    "complete_checkout": Operation(
        CHECKOUT,
        "checkout",
        lambda session, target, payload, new: (
            200,
            completing.complete_checkout(session, target, payload),
        ),
        describes="Place the order of a checkout that is ready.",
    ),
    "cancel_checkout": Operation(
        CHECKOUT,
        "",
        lambda session, target, payload, new: (200, checkouts.cancel_checkout(session, target)),
        describes="Cancel a checkout.",
    ),
    "get_order": Operation(
        ORDER,
        "",
        lambda session, target, payload, new: (200, order_entity.get_order(session, target)),
        is_changing=False,
        describes="Read an order: what was sent, refunded, returned.",
    ),
}


def perform(
    name: str, session: Session, *, target: str = "", payload: Any = None, key: str = ""
) -> Answer:
    """Do the operation and return HTTP status and body. Raises ProtocolError."""
    operation = OPERATIONS[name]
    refuse_blocked(session.platform, operation.root)  # before the key: it isn't kept as an answer

    def do(new: UUID, is_repeat: bool) -> Answer:
        asked = replace(session, is_repeat=is_repeat)
        try:
            wanted = _target(target) if operation.has_target else new
            return operation.do(asked, wanted, payload, new)
        except Outcome as outcome:
            return outcome.status, failed(session, operation.root, outcome)

    if not operation.is_changing:
        return do(UUID(int=0), False)
    return once(session, key, operation=name, target=target, payload=payload, do=do)


def failed(session: Session, root: str, outcome: Outcome) -> dict[str, Any]:
    """Return the envelope of an outcome without a resource."""
    members: dict[str, Any] = {"payment_handlers": {}} if root == CHECKOUT else {}
    return {
        "ucp": ucp(session.relevant(root), error=True, **members),
        "messages": [error(outcome.code, outcome.content, severity="unrecoverable")],
        "continue_url": site("/"),
    }


def _target(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Outcome("not_found", "There is no such resource.") from None
