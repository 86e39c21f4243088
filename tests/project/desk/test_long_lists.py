"""Long lists: pages by key, counts that are exact while they are few, orders that an index has."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

import pytest
from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Index, UniqueConstraint
from django.test import Client
from django.utils import timezone, translation

from notifications.models import Notification
from orders.models import User
from project.desk import row_counts
from project.desk.keyset import read_page
from project.desk.long_lists import LongList
from project.desk.row_counts import COUNTED, Estimate, count_rows
from project.jobs.queryset import Status

pytestmark = pytest.mark.django_db

LIST = "/admin/notifications/notification/"
LONG = [each for each in admin.site._registry.values() if isinstance(each, LongList)]


@pytest.fixture(autouse=True)
def language_is_restored() -> Iterator[None]:
    with translation.override("en"):
        yield


def add_messages(count: int, **fields: Any) -> None:
    """Add messages of one moment, as an announcement's batch has them."""
    values = {
        "kind": "announcement.email",
        "event": "announcement",
        "channel": "email",
        "language": "en",
        "created_at": timezone.now(),
    }
    Notification.objects.bulk_create(
        Notification(**{**values, "recipient": f"{number}@example.org"} | fields)
        for number in range(count)
    )


def ids(answer: Any) -> list[Any]:
    return [row.pk for row in answer.context["cl"].result_list]


def turn(client: Client, answer: Any, page: str) -> Any:
    """Follow the pager's link."""
    link = re.search(rf'<a href="([^"]+)"\s+rel="{page}"', answer.content.decode())
    assert link is not None
    query = parse_qs(link[1].replace("&amp;", "&").removeprefix("?"), keep_blank_values=True)
    return client.get(LIST, query)


def has_link(answer: Any, page: str) -> bool:
    return f'rel="{page}"' in answer.content.decode()


# ── Pages ───────────────────────────────────────────────────────────────────────────────────
def test_all_rows_are_seen_once_forwards_and_backwards(admin_client: Client) -> None:
    add_messages(120)
    wanted = list(Notification.objects.order_by("-created_at", "-id").values_list("pk", flat=True))

    first = admin_client.get(LIST)
    second = turn(admin_client, first, "next")
    third = turn(admin_client, second, "next")
    back = turn(admin_client, third, "prev")

    assert ids(first) + ids(second) + ids(third) == wanted
    assert ids(back) == ids(second)
    assert not has_link(first, "prev")
    assert not has_link(third, "next")


def test_the_last_page_is_read_backwards_and_full(admin_client: Client) -> None:
    add_messages(120)
    wanted = list(Notification.objects.order_by("-created_at", "-id").values_list("pk", flat=True))

    last = turn(admin_client, admin_client.get(LIST), "last")

    assert ids(last) == wanted[-50:]
    assert not has_link(last, "next")
    assert ids(turn(admin_client, last, "prev")) == wanted[-100:-50]
    assert ids(turn(admin_client, last, "first")) == wanted[:50]


def test_rows_that_come_meanwhile_move_no_row_to_the_next_page(admin_client: Client) -> None:
    add_messages(100)
    first = admin_client.get(LIST)

    add_messages(10)

    assert not set(ids(first)) & set(ids(turn(admin_client, first, "next")))


def test_a_page_whose_rows_are_gone_shows_the_last_one(admin_client: Client) -> None:
    add_messages(120)
    first = admin_client.get(LIST)
    Notification.objects.exclude(pk__in=ids(first)).delete()

    assert ids(turn(admin_client, first, "next")) == ids(first)


def test_a_page_before_that_begins_the_list_is_the_first_page(admin_client: Client) -> None:
    add_messages(100)
    second = turn(admin_client, admin_client.get(LIST), "next")
    add_messages(10)

    before = turn(admin_client, turn(admin_client, second, "prev"), "prev")

    assert ids(before) == ids(admin_client.get(LIST))
    assert not has_link(before, "prev")


@pytest.mark.parametrize(
    "place",
    ["3", "-1", "after", 'after["x","y"]', "before[1]", "after{}", 'after["9999"]', "last2"],
)
def test_an_old_or_broken_link_to_a_page_shows_the_first(place: str, admin_client: Client) -> None:
    add_messages(60)

    assert ids(admin_client.get(LIST, {"p": place})) == ids(admin_client.get(LIST))


def test_a_list_without_rows_has_no_pages(admin_client: Client) -> None:
    answer = admin_client.get(LIST, {"p": "last"})

    assert ids(answer) == []
    assert "desk-pager" not in answer.content.decode()


def test_a_page_keeps_filter_and_search(admin_client: Client) -> None:
    add_messages(60, status=Status.FAILED, error="550 no", finished_at=timezone.now())
    add_messages(60)

    first = admin_client.get(LIST, {"status__exact": "failed", "q": "550"})
    second = turn(admin_client, first, "next")

    assert len({*ids(first), *ids(second)}) == 60


def test_control_by_offset_a_new_row_repeats_one_on_the_next_page() -> None:
    add_messages(100)
    listed = Notification.objects.order_by("-created_at", "-id")
    first = [row.pk for row in read_page(listed, place="", size=50).rows]
    add_messages(10)

    assert {row.pk for row in listed[50:100]} & set(first)


# ── Sorting ─────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("model_admin", LONG, ids=lambda each: each.opts.label)
def test_a_list_is_sorted_only_as_an_index_has_it(model_admin: LongList) -> None:
    fields = {field.name: field for field in model_admin.opts.concrete_fields}
    orders = [
        tuple(name.removeprefix("-") for name in model_admin.ordering),
        *model_admin.sortable.values(),
    ]

    assert len({name.startswith("-") for name in model_admin.ordering}) == 1
    for order in orders:
        names = [model_admin.opts.pk.name if name == "pk" else name for name in order]
        assert not any(fields[name].null for name in names)
        assert fields[names[-1]].unique
        assert names[0] in _led_by(model_admin), names


def _led_by(model_admin: LongList) -> set[str]:
    """Return the columns with which an index over all of the table begins."""
    options = model_admin.opts
    leading = {field.name for field in options.concrete_fields if field.unique or field.db_index}
    for index in options.indexes:
        if isinstance(index, Index) and index.condition is None and index.fields:
            leading.add(index.fields[0].removeprefix("-"))
    for constraint in options.constraints:
        if isinstance(constraint, UniqueConstraint) and constraint.condition is None:
            leading |= set(constraint.fields[:1])
    # `project/migrations/0020_list_indexes.py`; and a few rows for each day.
    others = {"axes.AccessAttempt": "attempt_time", "project.DailyRun": "day"}
    return leading | {others.get(options.label, "")}


def test_a_column_without_an_index_is_not_sorted_by(admin_client: Client) -> None:
    add_messages(3, status=Status.DONE)
    add_messages(3)

    newest = admin_client.get(LIST)
    by_status = admin_client.get(LIST, {"o": "2"})
    oldest = admin_client.get(LIST, {"o": "7"})

    assert ids(by_status) == ids(newest)
    assert ids(oldest) == ids(newest)[::-1]


# ── Counts ──────────────────────────────────────────────────────────────────────────────────
def test_few_rows_are_counted_and_many_estimated(monkeypatch: pytest.MonkeyPatch) -> None:
    add_messages(30)
    everything = Notification.objects.order_by("-created_at", "-id")

    # The planner knows the rows of earlier tests, too.
    monkeypatch.setattr(row_counts, "planned_rows", lambda queryset: 30)
    assert count_rows(everything, exact=30) == 30
    assert str(count_rows(everything, exact=30)) == "30"
    monkeypatch.setattr(row_counts, "planned_rows", lambda queryset: 25)
    assert str(count_rows(everything, exact=29)) == "more than 29"
    monkeypatch.setattr(row_counts, "planned_rows", lambda queryset: 1234)
    assert str(count_rows(everything, exact=29)) == "about 1,200"


def test_an_empty_list_is_not_estimated_from_the_table() -> None:
    add_messages(30)

    assert count_rows(Notification.objects.filter(recipient="nobody").order_by("-created_at")) == 0
    assert count_rows(Notification.objects.none().order_by("-created_at")) == 0


@pytest.mark.parametrize(
    ("estimate", "words"),
    [
        (COUNTED + 1, "more than 500"),
        (1049, "about 1,000"),
        (1_234_567, "about 1,200,000"),
        (98_765, "about 99,000"),
    ],
)
def test_an_estimate_says_that_it_is_one(estimate: int, words: str) -> None:
    assert str(Estimate(estimate)) == words


def test_all_of_a_long_list_are_chosen_by_a_number_that_says_about(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_messages(60)
    monkeypatch.setattr(row_counts, "planned_rows", lambda queryset: 1_234_567)

    page = " ".join(admin_client.get(LIST).content.decode().split())

    assert "Select all about 1,200,000 notifications" in page
    assert re.search(r'<p class="py-4"> about 1,200,000 notifications </p>', page)


def test_all_that_match_are_acted_on_not_only_the_page(admin_client: Client) -> None:
    add_messages(60, status=Status.FAILED, error="550 no", finished_at=timezone.now())
    add_messages(1, status=Status.CANCELLED)
    listed = admin_client.get(LIST, {"status__exact": "failed"})

    answer = admin_client.post(
        f"{LIST}?status__exact=failed",
        {
            "action": "retry",
            "select_across": "1",
            "index": "0",
            ACTION_CHECKBOX_NAME: [str(ids(listed)[0])],
        },
        follow=True,
    )

    assert "60 jobs are queued again." in answer.content.decode()
    assert Notification.objects.filter(status=Status.QUEUED).count() == 60


def test_the_pages_have_names_in_both_languages(admin_client: Client, admin_user: User) -> None:
    add_messages(60)

    english = admin_client.get(LIST).content.decode()
    admin_client.cookies["django_language"] = "zh-hans"
    chinese = admin_client.get(LIST).content.decode()

    assert 'aria-label="Next page"' in english
    assert 'aria-label="下一页"' in chinese


def test_no_list_that_grows_offers_to_count_the_choices_of_its_filters(
    admin_client: Client,
) -> None:
    page = admin_client.get("/admin/orders/order/").content.decode()

    assert "_facets" not in page
