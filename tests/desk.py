"""The desk: orders as the StockWriter leaves them, without threads, and a clerk who may look."""

from decimal import Decimal
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from media_jobs.models import MediaJob
from notifications.models import Notification
from orders.models import Order, OrderEvent, OrderLine, Product, User
from project.jobs.queryset import Status


def placed(product: Product, *, quantity: int = 1, name: str = "Ada Lovelace") -> Order:
    """Return an order of one product with its event and its two jobs."""
    total = product.price * quantity
    order = Order.objects.create(
        id=uuid4(),
        door=Order.Source.SHOP,
        fingerprint="0" * 64,
        name=name,
        email="ada@example.org",
        language="en",
        currency="EUR",
        items_total=total,
        delivery_total=Decimal(0),
        total=total,
    )
    order.refresh_from_db()
    OrderLine.objects.create(
        order=order,
        product=product,
        sku=product.sku,
        name=product.name,
        quantity=quantity,
        unit_price=product.price,
        total=total,
    )
    OrderEvent.objects.create(order=order, kind="placed")
    message(order)
    MediaJob.objects.create(
        order_id=order.pk, kind="pickup_pass", source=f"order:{order.pk}", recipe="pickup_pass"
    )
    return order


def message(order: Order, *, status: Status = Status.QUEUED, **fields: str) -> Notification:
    """Return an e-mail to the order's customer."""
    values = {
        "kind": "order_placed.email",
        "event": "order_placed",
        "channel": "email",
        "recipient": f"{uuid4()}@example.org",
        "language": "en",
    }
    return Notification.objects.create(
        order_id=order.pk,
        status=status,
        context={"number": order.display_number},
        **(values | fields),
    )


@pytest.fixture
def clerk(db: None) -> User:
    """May look at everything, and do nothing about it."""
    user = User.objects.create_user("clerk", password="clerk", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    return user


@pytest.fixture
def clerk_client(clerk: User) -> Client:
    client = Client()
    client.force_login(clerk)
    return client
