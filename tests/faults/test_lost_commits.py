"""A COMMIT whose reply is lost on its way, or that never arrives: the order is placed once."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from socket import socket

import pytest
from django.db import connections

from orders.models import Order, ProductSales, Stock
from orders.placing.errors import OutcomeUnknown
from orders.placing.placement import place_order
from orders.placing.writers import drain
from project.monitoring.audit import run_audit
from tests.factories import add_product, new_key, order_request
from tests.project.gateway import Gateway, gateway_to

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "writer"])


class CommitCutter(Gateway):
    """Hangs up on the first COMMITs: before the server gets them, or before its reply is passed."""

    def __init__(self, url: str, *, arrives: bool) -> None:
        super().__init__(url)
        self.left = 2  # one of each writer
        self._arrives = arrives

    def forward(self, data: bytes, *, to: socket, outward: bool) -> None:
        if not (outward and b"COMMIT\0" in data and self.left):
            super().forward(data, to=to, outward=outward)
            return
        self.left -= 1
        if self._arrives:
            super().forward(data, to=to, outward=outward)
            to.recv(65536)  # the reply: it is committed
        raise ConnectionAbortedError


@pytest.fixture
def cutter(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., CommitCutter]]:
    """Call it to lead the writers through a gateway that cuts their first COMMITs."""
    assert drain(timeout=20)
    settings = connections.settings["writer"]

    def lead(stack: ExitStack, *, arrives: bool) -> CommitCutter:
        url = f"postgres://{settings['HOST']}:{settings['PORT']}"
        gateway = stack.enter_context(gateway_to(url, partial(CommitCutter, arrives=arrives)))
        monkeypatch.setitem(settings, "PORT", str(gateway.server_address[1]))
        return gateway

    with ExitStack() as stack:
        yield partial(lead, stack)
        assert drain(timeout=20)  # before their way is closed


@pytest.mark.parametrize("arrives", [True, False], ids=["reply_lost", "commit_lost"])
def test_a_lost_commit_is_found_or_made_again(
    cutter: Callable[..., CommitCutter], arrives: bool
) -> None:
    add_product("TEA", stock=100)
    request = order_request(("TEA", 2), key=new_key())
    gateway = cutter(arrives=arrives)

    first, repeat = place_order(request), place_order(request)

    assert drain(timeout=20)
    assert gateway.left == 0
    assert Order.objects.get() == first.order == repeat.order
    assert (Stock.objects.get().available, ProductSales.objects.get().units) == (98, 2)
    assert run_audit().is_clean


def test_control_without_a_second_look_nobody_knows(
    cutter: Callable[..., CommitCutter], monkeypatch: pytest.MonkeyPatch
) -> None:
    add_product("TEA", stock=100)
    monkeypatch.setattr("orders.placing.stock_writer.fingerprints_of", lambda cursor, order_ids: {})
    monkeypatch.setattr("orders.placing.placement.DEADLINE", 1.0)
    cutter(arrives=True)

    with pytest.raises(OutcomeUnknown):
        place_order(order_request(("TEA", 2)))

    assert Order.objects.exists()
