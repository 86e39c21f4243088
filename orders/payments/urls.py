"""`/payments/<provider>/webhook`: the endpoint for providers' events."""

from django.urls import path

from orders.payments.webhook import receive

urlpatterns = [path("<str:provider>/webhook", receive, name="payment-webhook")]
