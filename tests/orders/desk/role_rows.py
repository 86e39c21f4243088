"""A row of each model that the desk shows, by “app_model”."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

from allauth.account.models import EmailAddress
from axes.models import AccessAttempt
from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
)
from django_celery_results.models import TaskResult

from media_jobs.models import Asset, MediaJob
from notifications.models import ChannelState, Notification, WebhookDelivery, WebhookEndpoint
from orders.models import (
    Announcement,
    Category,
    DeskJob,
    Hold,
    PaymentAttempt,
    Refund,
    Return,
    StockMovement,
    TaxClass,
    TaxRate,
    User,
    Voucher,
    WaitingListEntry,
)
from project.limits.known import known_limits
from project.models import (
    AuditRun,
    DailyRun,
    Heartbeat,
    Limit,
    LimitCounter,
    ManualRun,
    PerformanceRun,
    SavedView,
    Sweep,
)
from tests.clients import api_client, key_of
from tests.desk import placed
from tests.factories import add_product
from tests.orders.desk import agents

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def rows_of_each_model() -> dict[str, Any]:
    """Return one row of every model that is registered; fails for one that isn't known here."""
    product = add_product("MUG", stock=10)
    order = placed(product)
    shopper = User.objects.create_user("ada", "ada@example.org")
    order.payments.create(method="cash", reference="1", amount=1)
    interval = IntervalSchedule.objects.create(every=10, period="seconds")
    entry = PeriodicTask.objects.create(name="t", task="orders.tasks.low_stock", interval=interval)
    key_of()  # of the API client below
    rows = [
        product,
        Hold.objects.create(id=uuid4(), units=1, expires_at=NOW),
        api_client(),
        agents.platform(),
        agents.checkout(),
        agents.link(shopper),
        Voucher.objects.create(code="SPRING", kind="percent", value=10),
        TaxClass.objects.create(name="Books"),
        TaxRate.objects.create(country="DE", rate=19),
        order,
        shopper,
        interval,
        entry,
        Category.objects.first(),
        Notification.objects.first(),
        MediaJob.objects.first(),
        Group.objects.first(),
        EmailAddress.objects.create(user=shopper, email="ada@example.org", primary=True),
        Announcement.objects.create(subject_en="News", text_en="All is well."),
        DeskJob.objects.create(kind="import_products", context={"dry_run": True, "name": "x.csv"}),
        StockMovement.objects.create(product=product, kind="correction", quantity=1, reason="x"),
        CrontabSchedule.objects.create(minute="5"),
        ClockedSchedule.objects.create(clocked_time=NOW),
        TaskResult.objects.create(task_id="1", task_name="x"),
        ChannelState.objects.create(gateway="email"),
        endpoint := WebhookEndpoint.objects.create(
            name="Warehouse", url="https://hooks.example/", events=["order.placed"], secret="x"
        ),
        WebhookDelivery.objects.create(endpoint=endpoint, kind="order.placed"),
        Asset.objects.create(
            name="x.png", sha256="0" * 64, content_type="image/png", size=1, file="x.png"
        ),
        Heartbeat.objects.create(name="beat", seen_at=NOW),
        AuditRun.objects.create(
            started_at=NOW, finished_at=NOW + timedelta(seconds=1), findings=[], is_clean=True
        ),
        PerformanceRun.objects.create(rate=5, seconds=60),
        DailyRun.objects.create(name="orders.tasks.daily_report", day=date(2026, 1, 2)),
        Sweep.objects.create(name="x"),
        Limit.objects.create(name=next(iter(known_limits()))),
        LimitCounter.objects.create(
            name="order:ip", key="1", used=1, allowed=5, ends_at=datetime.now(UTC) + timedelta(1)
        ),
        ManualRun.objects.create(periodic_task=entry.name),
        Refund.objects.create(id=uuid4(), order=order, amount=1, restocked=False),
        Return.objects.create(id=uuid4(), order=order),
        PaymentAttempt.objects.create(
            order=order, provider="test-bank", amount=order.total, currency=order.currency
        ),
        WaitingListEntry.objects.create(
            id=uuid4(), product=product, email="bob@example.org", language="en"
        ),
        AccessAttempt.objects.create(username="x", ip_address="192.0.2.1", failures_since_start=1),
        LogEntry.objects.create(
            user=shopper,
            content_type=ContentType.objects.get_for_model(product),
            object_id=str(product.pk),
            object_repr="x",
            action_flag=CHANGE,
            change_message="[]",
        ),
    ]
    known = {f"{row._meta.app_label}_{row._meta.model_name}": row for row in rows}
    registered = {f"{m._meta.app_label}_{m._meta.model_name}" for m in admin.site._registry}
    assert registered <= known.keys(), registered - known.keys()
    view = SavedView.objects.create(
        list="orders.order", name="Late", query="status=paid", owner=shopper, is_shared=True
    )
    return known | {"view": view}
