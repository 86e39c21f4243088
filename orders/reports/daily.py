"""The daily report: read a day's figures, store chart and table, and queue the staff's messages.

It runs once per day of the shop: a day whose messages exist is skipped.
"""

from datetime import date
from decimal import Decimal
from io import StringIO
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from notifications.models import Notification
from notifications.outbox import Staff, attachment, staff_messages
from orders.accounts.staff import staff
from orders.reports.chart import draw
from orders.reports.figures import HEADER, Figures, read_figures, report_context, table
from project.desk.spreadsheets import write_csv
from project.replica.reading import caught_up
from project.replica.router import reading
from project.templatetags.money import money


def send_report(day: date) -> dict[str, Any]:
    """Queue the day's report to the addresses in `STAFF_EMAILS`; return the result as JSON.

    The caller ensures that one process at a time calls it (`project.schedule.daily`).
    """
    readers = staff()
    sent = Notification.objects.filter(order_id=None, event="daily_report", occasion=str(day))
    if sent.exists():
        return {"day": str(day), "recipients": 0, "told before": True}
    if not readers:
        return {"day": str(day), "recipients": 0}
    with reading(caught_up()):
        figures, table_of_day = read_figures(day), _csv(day)
    files = [
        attachment(_store(f"{day}/chart.png", _chart(figures)), name="chart.png", cid="chart"),
        attachment(_store(f"{day}/orders.csv", table_of_day), name=f"orders-{day}.csv"),
    ]
    queued = Notification.objects.bulk_create(messages_for(figures, files, readers))
    return {"day": str(day), "recipients": len(queued), "orders": figures.orders}


def messages_for(figures: Figures, files: list[dict[str, str]], readers: list[Staff]) -> Any:
    """Return the report's message for each of these readers, with its files attached."""
    return staff_messages(
        event="daily_report",
        occasion=str(figures.day),
        readers=readers,
        attachments=files,
        context=report_context(figures),
    )


def _chart(figures: Figures) -> bytes:
    highest = max((amount for _day, amount in figures.turnover_by_day), default=Decimal(0))
    return draw(figures.turnover_by_day, highest=money(highest, settings.SHOP_CURRENCY))


def _csv(day: date) -> bytes:
    text = StringIO(newline="")
    write_csv(text, HEADER, table(day))
    return text.getvalue().encode()


def _store(name: str, data: bytes) -> str:
    """Store the file, replacing one of an earlier attempt, and return its name."""
    path = f"desk/reports/{name}"
    default_storage.delete(path)
    return default_storage.save(path, ContentFile(data))
