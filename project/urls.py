"""All URLs of the shop: one include per part of an app."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path

from project import views
from project.desk.loading import load_desk

load_desk()

handler400 = "orders.shop.views.errors.bad_request"
handler403 = "orders.shop.views.errors.forbidden"
handler404 = "orders.shop.views.errors.not_found"
handler429 = "orders.shop.views.errors.too_many_requests"
handler500 = "orders.shop.views.errors.server_error"

urlpatterns = [
    path("healthz", views.healthz, name="healthz"),
    path("api/", include("orders.api.urls")),  # first: each pattern before costs each request
    path("", include("orders.shop.urls")),
    path("", include("orders.agents.urls")),  # before the accounts', among which one page stands
    path("accounts/", include("orders.accounts.urls")),
    path("favicon.ico", views.favicon),
    path("readyz", views.readyz, name="readyz"),
    path("metrics", views.metrics, name="metrics"),
    path("admin/jobs/", include("project.desk.jobs_page.urls")),
    path("admin/", admin.site.urls),
    path("payments/", include("orders.payments.urls")),
    path("receipts/", include("notifications.receipts.urls")),
    path("mailbox/", include("notifications.mailbox.urls")),
    path("test-bank/", include("orders.payments.test_bank.urls")),
    path(settings.MEDIA_URL.lstrip("/"), include("media_jobs.urls")),
]
