"""`/receipts/<provider>/`: where providers report."""

from django.urls import path

from notifications.receipts.endpoint import receive

urlpatterns = [path("<str:provider>/", receive, name="receipts")]
