"""/test-bank/: its pages answer 404 outside local mode."""

from django.urls import path, re_path

from orders.payments.test_bank import views

urlpatterns = [
    path("", views.payment_list, name="test-bank"),
    re_path(r"^(?P<payment_id>bank_[0-9a-f]{32})/$", views.payment, name="test-bank-payment"),
]
