"""What is put together from parts is what the shop's own functions make."""

import pytest

from notifications.models import Notification
from orders.demo.orders import fill_orders
from orders.models import Order
from orders.placing.message_context import message_context
from orders.placing.payment_choice import payment_context
from orders.placing.request import ChosenDelivery, OrderRequest, RequestedLine

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "writer"])


def test_the_context_of_a_message_is_that_of_its_order(settings) -> None:
    settings.SMS_FIRST_NEEDS_EMAIL = True
    settings.SHOP_NAME = 'The "100 %" \\ shop'
    settings.PAYMENT_DUE_HOURS = 48
    settings.PAYMENT_INSTRUCTIONS = "At the till,\nor 5 % less in advance"
    fill_orders(orders=40)

    messages = Notification.objects.filter(event="order_placed")
    assert messages
    for message in messages:
        order = Order.objects.get(pk=message.order_id)
        assert message.context == {
            "number": order.display_number,
            **message_context(order, order.lines.all()),
            **payment_context(order),
            "placed_at": order.placed_at.isoformat(),
        }


@pytest.mark.slow
def test_the_fingerprint_is_that_of_the_request() -> None:
    fill_orders(orders=40)

    assert Order.objects.exclude(delivery={}).exists()
    for order in Order.objects.all():
        request = OrderRequest(
            source=Order.Source(order.door),
            key="another one",
            name=order.name,
            email=order.email,
            phone=order.phone,
            language=order.language,
            address=order.address,
            delivery=ChosenDelivery(order.delivery["carrier"], order.delivery["service"])
            if order.delivery
            else None,
            lines=tuple(RequestedLine(line.sku, line.quantity) for line in order.lines.all()),
        )
        assert order.fingerprint == request.fingerprint()
