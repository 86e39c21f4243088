"""The shopper's cart: a row with a line per product, the account's or the guest session's.

A session only names its guest's cart. So a cart survives a restart, an account has one cart on all
its devices, and two tabs lose nothing of each other: each change locks the cart's row first. Each
page that shows the cart prices it again (`orders.shop.priced_cart`).

A guest's first adds may come at once, before the browser has a session. Each then makes a session
of its own, and the browser keeps one of them. So all of them name the same cart: by the secret that
the browser got with the form (the CSRF cookie's), not by the session.

A personalised product has a separate line for each upload.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from uuid import UUID, uuid4

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction
from django.db.models import Q, QuerySet, Sum
from django.db.models.functions import Now
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from orders.models import Cart, CartLine, ClearedCart, Product
from orders.models.cart import new_checkout_key
from orders.placing.request import MAX_LINES, MAX_QUANTITY, RequestedLine

_GUEST_CART = "cart_id"
"""The session's entry with the id of its guest's cart."""
_OLD_LINES, _OLD_UPLOADS, _OLD_KEY = "cart", "cart_uploads", "checkout_key"
"""The entries of sessions from before carts had rows."""
KEEP_CLEARED = timedelta(days=60)
"""Longer than any session lives: who sends an old form again has none that still names a cart."""


class CartFullError(Exception):
    """The cart has as many lines as an order may have."""


@dataclass(frozen=True)
class Merged:
    """What became of a guest's cart at the sign-in, in lines."""

    had: int = 0
    """What the account's cart had before."""
    came: int = 0
    waiting: int = 0
    """What had no room."""


class ShopperCart:
    """The cart of one shopper. It has a row once something was put into it."""

    def __init__(self, session: SessionBase, *, user_id: int | None, browser: str = "") -> None:
        """`browser`: a secret that all requests of the shopper's browser have, empty if unknown."""
        self._session = session
        self._user_id = user_id
        self._browser = browser

    @property
    def rows(self) -> list[CartLine]:
        """The lines, in the order in which they were added."""
        self._move_old_session()
        return list(CartLine.objects.filter(self._mine("cart__")))

    @property
    def lines(self) -> list[RequestedLine]:
        return [requested(row) for row in self.rows]

    @property
    def units(self) -> int:
        """The units of all lines; no query for a guest without a cart."""
        self._move_old_session()
        if self._user_id is None and _GUEST_CART not in self._session:
            return 0
        lines = CartLine.objects.filter(self._mine("cart__"))
        return lines.aggregate(units=Sum("quantity", default=0))["units"]

    def add(self, product: Product, quantity: int, upload: str = "") -> int:
        """Add units, up to the limit of an order per product, and return the line's units.

        Raises CartFullError.
        """
        with self._changing() as cart:
            known = {row_key(row): row for row in cart.lines.all()}
            row = known.get((product.sku, upload))
            if row is None and len(known) >= MAX_LINES:
                raise CartFullError
            row = row or CartLine(
                cart=cart, sku=product.sku, upload=UUID(upload) if upload else None, quantity=0
            )
            row.quantity = min(row.quantity + quantity, MAX_QUANTITY)
            row.seen_name, row.seen_price = product.shown_name, product.price
            row.save()
            return row.quantity

    def set(self, sku: str, quantity: int, upload: str = "") -> None:
        """Set the quantity of a line in the cart; below one the line is removed."""
        with self._changing(create=False) as cart:
            if cart is not None:
                _set(cart, RequestedLine(sku, quantity, upload))

    def note_seen(self, prices: Mapping[int, Decimal], *, gone: Iterable[int]) -> None:
        """Note the prices that the shopper is told now, by line; drop the lines that are gone."""
        for pk, price in prices.items():
            CartLine.objects.filter(pk=pk).update(seen_price=price)
        CartLine.objects.filter(pk__in=list(gone)).delete()

    def put_back(self, lines: Iterable[RequestedLine]) -> None:
        """Put a form's lines into the cart if it is empty: their session was lost."""
        names = {
            product.sku: product
            for product in Product.objects.filter(sku__in=[line.sku for line in lines])
        }
        with self._changing() as cart:
            if cart.lines.exists():
                return
            for line in lines:
                if product := names.get(line.sku):
                    _add_to(cart, line, name=product.shown_name, price=None)

    def checkout_key(self) -> str:
        """Return the idempotency key of this cart's order: one key in all tabs, until placed."""
        row = Cart.objects.filter(self._mine()).first()
        return row.checkout_key if row else uuid4().hex

    def order_under(self, key: str) -> None:
        """Let the cart's next order have this idempotency key."""
        with self._changing() as cart:
            Cart.objects.filter(pk=cart.pk).update(checkout_key=key)

    def remove_ordered(self, *, order_id: UUID, key: str, ordered: Iterable[RequestedLine]) -> None:
        """Remove the lines that were ordered, once per order.

        A form that is sent again from the browser's history must not empty a newer cart.
        """
        with self._changing(create=False) as cart:
            if cart is None or not ClearedCart.objects.get_or_create(order_id=order_id)[1]:
                return
            here = {row_key(row): row.quantity for row in cart.lines.all()}
            for line in ordered:
                left = here.get((line.sku, line.upload), 0) - line.quantity
                _set(cart, RequestedLine(line.sku, left, line.upload))
            Cart.objects.filter(pk=cart.pk, checkout_key=key).update(
                checkout_key=new_checkout_key()
            )

    def take_over_guest_cart(self) -> Merged:
        """Merge the cart that the session had as a guest into the account's.

        A product in both has the larger quantity: whoever signs out, chooses the same again and
        signs in has it once, and a repeat changes nothing. Lines beyond the limit of an order wait
        in the guest's cart, which the session goes on naming.
        """
        guest_id: str | None = self._session.get(_GUEST_CART)
        if self._user_id is None or not (guest_id or _OLD_LINES in self._session):
            return Merged()
        with self._changing() as mine:
            guests = Cart.objects.select_for_update().filter(user=None)
            guest = guests.filter(pk=guest_id).first() if guest_id else None
            merged = _merge(guest, into=mine) if guest else Merged()
        if not merged.waiting:
            self._session.pop(_GUEST_CART, None)
        return merged

    # ── The row ─────────────────────────────────────────────────────────────────────────────

    def _mine(self, prefix: str = "") -> Q:
        if self._user_id is not None:
            return Q(**{f"{prefix}user_id": self._user_id})
        return Q(**{f"{prefix}pk": self._session.get(_GUEST_CART), f"{prefix}user": None})

    @contextmanager
    def _changing(self, *, create: bool = True) -> Iterator[Cart]:
        """Lock the cart's row until the change is committed. Without one and `create`: None."""
        self._move_old_session()
        with transaction.atomic():
            cart = self._lock()
            if cart is None and create:
                cart = self._create()
            yield cart  # type: ignore[misc]
            if cart is not None:
                Cart.objects.filter(pk=cart.pk).update(changed_at=Now())
                self._session.modified = True  # it lives on as long as its cart

    def _lock(self) -> Cart | None:
        return Cart.objects.select_for_update(no_key=True).filter(self._mine()).first()

    def _create(self) -> Cart:
        if self._user_id is not None:
            Cart.objects.get_or_create(user_id=self._user_id)
        else:
            if _GUEST_CART not in self._session:
                self._session[_GUEST_CART] = str(self._new_guest_id())
            Cart.objects.get_or_create(pk=self._session[_GUEST_CART])
        cart = self._lock()
        assert cart is not None
        return cart

    def _new_guest_id(self) -> UUID:
        """Two first requests of one session, or of one browser without any, make the same cart."""
        secret = self._session.session_key or self._browser
        if not secret:
            return uuid4()
        digest = salted_hmac("cart", secret, algorithm="sha256").digest()
        return UUID(bytes=digest[:16], version=4)

    def _move_old_session(self) -> None:
        """Write a row for the lines that a session kept itself, before this software came."""
        plain = self._session.pop(_OLD_LINES, None) or {}
        personalised = self._session.pop(_OLD_UPLOADS, None) or {}
        key = self._session.pop(_OLD_KEY, None)
        if not plain and not personalised:
            return
        lines = [RequestedLine(sku, quantity) for sku, quantity in plain.items()]
        lines += [RequestedLine(sku, units, token) for token, (sku, units) in personalised.items()]
        with self._changing() as cart:
            if key and not cart.lines.exists():
                Cart.objects.filter(pk=cart.pk).update(checkout_key=key)
            known = {row_key(row) for row in cart.lines.all()}
            for line in lines[:MAX_LINES]:
                if (line.sku, line.upload) not in known:
                    _add_to(cart, line, name=line.sku, price=None)


def cart_of(request: HttpRequest) -> ShopperCart:
    """Return the cart of the request's shopper."""
    browser = request.META.get("CSRF_COOKIE", "")
    return ShopperCart(request.session, user_id=request.user.pk, browser=browser)


def requested(row: CartLine) -> RequestedLine:
    return RequestedLine(row.sku, row.quantity, str(row.upload or ""))


def row_key(row: CartLine) -> tuple[str, str]:
    return row.sku, str(row.upload or "")


def abandoned_carts() -> QuerySet[Cart]:
    """Return the carts of guests whose sessions are over, for the pruning."""
    over = Now() - timedelta(seconds=settings.SESSION_COOKIE_AGE)
    return Cart.objects.filter(user=None, changed_at__lt=over)


def drop_abandoned(ids: list[UUID]) -> None:
    """Delete those of these carts that are abandoned still."""
    abandoned_carts().filter(pk__in=ids).delete()


def old_clearings() -> QuerySet[ClearedCart]:
    return ClearedCart.objects.filter(created_at__lt=Now() - KEEP_CLEARED)


def _set(cart: Cart, line: RequestedLine) -> None:
    rows = cart.lines.filter(sku=line.sku, upload=line.upload or None)
    if line.quantity < 1:
        rows.delete()
    else:
        rows.update(quantity=min(line.quantity, MAX_QUANTITY))


def _add_to(cart: Cart, line: RequestedLine, *, name: str, price: Decimal | None) -> None:
    CartLine.objects.create(
        cart=cart,
        sku=line.sku,
        upload=UUID(line.upload) if line.upload else None,
        quantity=min(line.quantity, MAX_QUANTITY),
        seen_name=name,
        seen_price=price,
    )


def _merge(guest: Cart, *, into: Cart) -> Merged:
    mine = {row_key(row): row for row in into.lines.all()}
    had = len(mine)
    if not mine:
        Cart.objects.filter(pk=into.pk).update(checkout_key=guest.checkout_key)
    came = waiting = 0
    for row in guest.lines.all():
        same = mine.get(row_key(row))
        if same is not None:
            if row.quantity > same.quantity:
                CartLine.objects.filter(pk=same.pk).update(quantity=row.quantity)
            row.delete()
        elif len(mine) < MAX_LINES:
            CartLine.objects.filter(pk=row.pk).update(cart=into)
            mine[row_key(row)] = row
            came += 1
        else:
            waiting += 1
    if not waiting:
        guest.delete()
    return Merged(had, came, waiting)
