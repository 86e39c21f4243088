"""`/receipts/<provider>/`: the endpoint for providers' receipts."""

from django.urls import path

from notifications.receipts.endpoint import receive

urlpatterns = [path("<str:provider>/", receive, name="receipts")]
