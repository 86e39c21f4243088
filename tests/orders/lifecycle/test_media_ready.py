"""The shopper is told once that all their pictures and videos can be printed."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from media_jobs.models import MediaJob
from notifications.models import Notification
from orders.lifecycle import media_ready, steps
from orders.lifecycle.media_ready import tell_media_ready
from orders.models import Order, OrderEvent, User
from orders.placing.placement import place_order
from project.jobs.queryset import Status
from project.models import Sweep
from project.schedule import passes
from project.schedule.passes import UnfinishedError
from tests.factories import add_product, order_request, uploaded_file

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "writer"]),
    pytest.mark.usefixtures("writers"),
]


@pytest.fixture(autouse=True)
def media_folder(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "media")


@pytest.fixture
def order() -> Order:
    """With two pictures of the shopper's."""
    add_product("MUG", personalisation="picture")
    add_product("TEE", personalisation="picture")
    placed = place_order(
        order_request(("MUG", 1, uploaded_file().token), ("TEE", 1, uploaded_file().token))
    )
    return placed.order


def finish_prints(order: Order, *statuses: Status) -> None:
    """As if the print files' jobs had ended so, just now."""
    jobs = MediaJob.objects.filter(order_id=order.pk, kind="print").order_by("source")
    for job, status in zip(jobs, statuses, strict=True):
        MediaJob.objects.filter(pk=job.pk).update(
            status=status, finished_at=None if status == Status.QUEUED else Now()
        )


def told() -> int:
    return Notification.objects.filter(event="order_media_ready").count()


def test_when_the_last_is_done_the_shopper_is_told_by_email(order: Order) -> None:
    finish_prints(order, Status.DONE, Status.DONE)

    assert tell_media_ready() == 1

    message = Notification.objects.get(event="order_media_ready")
    assert (message.channel, message.recipient) == ("email", "ada@example.org")
    assert message.context["number"] == order.display_number
    assert str(order.pk) in message.context["status_url"]
    assert order.events.filter(kind=OrderEvent.Kind.MEDIA_READY).count() == 1


@pytest.mark.parametrize("other", [Status.QUEUED, Status.FAILED])
def test_nothing_is_told_while_one_is_open_or_failed(order: Order, other: Status) -> None:
    finish_prints(order, Status.DONE, other)

    assert tell_media_ready() is None
    assert told() == 0


def test_one_that_failed_and_worked_after_all_is_told_then(order: Order) -> None:
    finish_prints(order, Status.DONE, Status.FAILED)
    tell_media_ready()

    finish_prints(order, Status.DONE, Status.DONE)

    assert tell_media_ready() == 1


def test_one_that_was_cancelled_is_not_waited_for(order: Order) -> None:
    finish_prints(order, Status.DONE, Status.CANCELLED)

    assert tell_media_ready() == 1


def test_without_any_that_is_done_there_is_nothing_to_view(order: Order) -> None:
    finish_prints(order, Status.CANCELLED, Status.CANCELLED)

    assert tell_media_ready() is None


def test_it_is_told_once_even_when_files_are_made_again_and_messages_are_pruned(
    order: Order,
) -> None:
    finish_prints(order, Status.DONE, Status.DONE)
    tell_media_ready()
    Notification.objects.all().delete()

    finish_prints(order, Status.DONE, Status.DONE)

    assert tell_media_ready() is None
    assert told() == 0


def test_an_order_without_files_of_the_shoppers_is_never_told_of() -> None:
    add_product("TEA")
    placed = place_order(order_request(("TEA", 1)))
    MediaJob.objects.filter(order_id=placed.order.pk).update(status=Status.DONE, finished_at=Now())

    assert tell_media_ready() is None


@pytest.mark.parametrize("status", ["cancelled", "refunded", "shipped", "delivered"])
def test_orders_that_are_over_or_on_their_way_are_left_alone(order: Order, status: str) -> None:
    finish_prints(order, Status.DONE, Status.DONE)
    Order.objects.update(status=status)

    assert tell_media_ready() is None


def test_who_switched_the_message_off_gets_none(order: Order) -> None:
    user = User.objects.create_user("ada@example.org", muted_events=["order_media_ready"])
    Order.objects.update(user=user)
    finish_prints(order, Status.DONE, Status.DONE)

    tell_media_ready()

    assert told() == 0
    assert order.events.filter(kind=OrderEvent.Kind.MEDIA_READY).exists()


def test_what_was_done_while_nobody_looked_is_told_afterwards(order: Order) -> None:
    tell_media_ready()
    Sweep.objects.filter(name=media_ready.NAME).update(done_until=Now() - timedelta(days=3))
    finish_prints(order, Status.DONE, Status.DONE)
    MediaJob.objects.update(finished_at=Now() - timedelta(days=2))

    assert tell_media_ready() == 1


def test_the_first_look_ever_leaves_old_orders_alone(order: Order) -> None:
    finish_prints(order, Status.DONE, Status.DONE)
    MediaJob.objects.update(finished_at=Now() - timedelta(hours=2))

    assert tell_media_ready() is None


def test_an_order_that_somebody_has_locked_is_told_in_the_next_run(
    order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "LOCK_TIMEOUT", "100ms")
    finish_prints(order, Status.DONE, Status.DONE)
    locked, done = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            Order.objects.select_for_update().get(pk=order.pk)
            locked.set()
            done.wait(10)
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    locked.wait(10)
    try:
        with pytest.raises(UnfinishedError, match="1 orders wait: locked by another transaction"):
            tell_media_ready()
    finally:
        done.set()
        holder.join()

    assert tell_media_ready() == 1


# ── Whatever the first page holds ───────────────────────────────────────────────────────────
def never_to_be_told(count: int) -> None:
    """Let the print files of so many orders end that will never be told of: they don't exist."""
    MediaJob.objects.bulk_create(
        MediaJob(
            kind="print",
            source=f"upload:{number}",
            recipe="print",
            order_id=uuid4(),
            status=Status.CANCELLED,
            finished_at=Now() - timedelta(seconds=30),
        )
        for number in range(count)
    )


@pytest.mark.parametrize("run_seconds", [0.0, 5.0])
def test_a_page_of_orders_that_are_never_told_stops_no_other(
    order: Order, monkeypatch: pytest.MonkeyPatch, run_seconds: float
) -> None:
    monkeypatch.setattr(passes, "PAGE_SIZE", 4)
    monkeypatch.setattr(passes, "RUN_SECONDS", run_seconds)
    never_to_be_told(10)
    finish_prints(order, Status.DONE, Status.DONE)

    runs = [tell_media_ready() for _run in range(14)]

    assert runs.count(1) == 1
    assert told() == 1
    assert Sweep.objects.get(name=media_ready.NAME).done_until


def test_control_without_its_position_the_first_page_is_read_for_ever(
    order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passes, "PAGE_SIZE", 4)
    monkeypatch.setattr(passes, "RUN_SECONDS", 0.0)
    monkeypatch.setattr(type(Sweep.objects.all()), "keep_position", lambda *_, **__: None)
    never_to_be_told(10)
    finish_prints(order, Status.DONE, Status.DONE)

    assert [tell_media_ready() for _run in range(14)] == [None] * 14


def test_an_order_whose_message_fails_stops_no_other(
    order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    never_to_be_told(1)
    finish_prints(order, Status.DONE, Status.DONE)
    tell = media_ready._notify

    def breaking(order_id: Any) -> bool:
        return tell(order_id) if order_id == order.pk else 1 / 0 > 1

    monkeypatch.setattr(media_ready, "_notify", breaking)

    with pytest.raises(UnfinishedError, match="1 orders wait: ZeroDivisionError"):
        tell_media_ready()

    assert told() == 1


def at_once(function: Callable[[], Any]) -> list[BaseException]:
    """Call it in two threads and return what they raised."""
    raised: list[BaseException] = []

    def work() -> None:
        try:
            function()
        except BaseException as error:
            raised.append(error)
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return raised


def test_two_relays_tell_it_once(order: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    finish_prints(order, Status.DONE, Status.DONE)
    both_found_it = threading.Barrier(2)
    tell = media_ready._notify

    def tell_together(order_id: Any) -> bool:
        both_found_it.wait(10)
        return tell(order_id)

    monkeypatch.setattr(media_ready, "_notify", tell_together)

    assert at_once(tell_media_ready) == []
    assert told() == 1
    assert order.events.filter(kind=OrderEvent.Kind.MEDIA_READY).count() == 1


def test_control_without_the_lock_both_write_it(
    order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish_prints(order, Status.DONE, Status.DONE)
    both_write_it = threading.Barrier(2)

    def record_together(*args: Any, **options: Any) -> None:
        both_write_it.wait(10)
        steps.record(*args, **options)

    monkeypatch.setattr(media_ready, "lock", steps.read)
    monkeypatch.setattr(media_ready, "record", record_together)

    [error] = at_once(tell_media_ready)
    assert "IntegrityError" in str(error), "only the database stops the second"


def test_the_search_reads_the_index_of_print_files_only() -> None:
    with CaptureQueriesContext(connection) as asked:
        tell_media_ready()
    [search] = [query["sql"] for query in asked if "ORDER BY finished_at" in query["sql"]]
    with transaction.atomic(), connection.cursor() as cursor:
        # As many other jobs as make reading the whole table the dearer way.
        cursor.execute(
            "INSERT INTO media_jobs_mediajob (id, kind, source, recipe, context, status,"
            " finished_at) SELECT gen_random_uuid(), 'renditions', 'asset:' || number, 'product',"
            " '{}', 'done', now() FROM generate_series(1, 20000) AS number"
        )
        cursor.execute("ANALYZE media_jobs_mediajob")  # else the planner guesses
        cursor.execute(f"EXPLAIN {search}")
        plan = "\n".join(row[0] for row in cursor.fetchall())

    assert "mediajob_printed" in plan
    assert "Seq Scan on media_jobs_mediajob" not in plan
