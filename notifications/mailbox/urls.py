"""/mailbox/: its pages answer 404 outside local mode."""

from django.urls import path, re_path

from notifications.mailbox import views

ID = r"(?P<message_id>[0-9a-f]{32})"

urlpatterns = [
    path("", views.message_list, name="mailbox"),
    re_path(rf"^{ID}/$", views.message_detail, name="mailbox-message"),
    re_path(rf"^{ID}/html/$", views.message_html, name="mailbox-message-html"),
]
