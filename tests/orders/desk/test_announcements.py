"""An announcement at the desk: written, counted, sent, watched, stopped."""

from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, connections
from django.db.models import QuerySet
from django.test import Client
from django.test.utils import CaptureQueriesContext

from orders.messages import announcements
from orders.messages.announcements import send_announcements
from orders.models import Announcement, DeskJob, User
from project.jobs.run import run_job
from tests.orders.readers import draft, plan_as_shown, subscribe
from tests.pages import open_page, read_page

pytestmark = pytest.mark.django_db

State = Announcement.Status
TOO_LATE = "Too late: its status has changed."


def page(announcement: Announcement, name: str = "change") -> str:
    return f"/admin/orders/announcement/{announcement.pk}/{name}/"


def text_of(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def sending(count: int) -> Announcement:
    subscribe(count)
    announcement = draft()
    plan_as_shown(announcement)
    send_announcements()
    run_job(DeskJob, DeskJob.objects.get().pk)
    return announcement


def test_a_draft_is_written_and_half_a_translation_is_refused(admin_client: Client) -> None:
    words = {"subject_en": "New tea", "text_en": "It has come.", "subject_zh_hans": "新茶"}

    refused = admin_client.post("/admin/orders/announcement/add/", words)
    admin_client.post("/admin/orders/announcement/add/", words | {"text_zh_hans": "到了。"})

    assert "both subject and text, or neither" in text_of(refused)
    assert Announcement.objects.get().status == State.DRAFT


def test_how_many_get_it_is_shown_before_it_is_sent(admin_client: Client) -> None:
    subscribe(2), subscribe(1, language="zh-hans")
    announcement = draft()

    answer = admin_client.get(page(announcement, "send"))

    assert "Goes to 3 customers" in text_of(answer)
    assert "简体中文 · 1" in text_of(answer)
    assert Announcement.objects.get().status == State.DRAFT


def test_send_now_is_recorded_with_its_user(admin_client: Client, admin_user: Any) -> None:
    announcement = draft()

    open_page(admin_client, page(announcement, "send")).send()

    announcement.refresh_from_db()
    assert (announcement.status, announcement.user) == (State.SCHEDULED, admin_user)


def test_a_time_that_is_over_is_refused(admin_client: Client) -> None:
    announcement = draft()

    answer = open_page(admin_client, page(announcement, "send")).send(at="2020-01-01T10:00")

    assert (
        answer.status_code,
        "This time is in the past. Choose a later one." in text_of(answer),
    ) == (422, True)


def test_a_planned_one_goes_back_to_a_draft(admin_client: Client) -> None:
    announcement = draft()
    open_page(admin_client, page(announcement, "send")).send(at="2099-01-01T10:00")
    assert f"at 2099-01-01 10:00 ({settings.TIME_ZONE})" in text_of(
        admin_client.get(page(announcement))
    )

    admin_client.post(page(announcement, "withdraw"))

    assert Announcement.objects.get().status == State.DRAFT


def test_its_page_shows_how_far_it_is_and_stops_it(admin_client: Client) -> None:
    announcement = sending(3)

    state = admin_client.get(page(announcement, "state"))
    asked = admin_client.get(page(announcement, "stop"))
    admin_client.post(page(announcement, "stop"))

    assert "0 / 3" in text_of(state)
    assert "hx-get" in text_of(state)
    assert "Stop sending?" in text_of(asked)
    assert Announcement.objects.get().status == State.STOPPED
    stopping = admin_client.get(page(announcement, "state"))
    assert "being cancelled: 0 %" in text_of(stopping)
    assert "HX-Refresh" not in stopping
    run_job(DeskJob, DeskJob.objects.get(kind="stop_announcement").pk)
    assert admin_client.get(page(announcement, "state"))["HX-Refresh"] == "true"


def test_its_page_says_that_its_job_has_ended_and_lets_it_go_on(admin_client: Client) -> None:
    subscribe(2)
    announcement = draft()
    plan_as_shown(announcement)
    send_announcements()
    way_on = page(announcement, "go-on")
    assert way_on not in text_of(admin_client.get(page(announcement)))
    DeskJob.objects.update(status="failed", error="worker died 3 times")

    shown = text_of(admin_client.get(page(announcement)))
    answer = admin_client.post(way_on, follow=True)

    assert "the job that queues them has ended. (worker died 3 times)" in shown
    assert way_on in shown
    assert "Its job goes on." in text_of(answer)
    assert DeskJob.objects.get().status == "queued"
    assert TOO_LATE in text_of(admin_client.post(way_on, follow=True))
    assert DeskJob.objects.count() == 1


def test_what_went_out_is_not_rewritten_by_a_page_that_was_open(admin_client: Client) -> None:
    announcement = sending(1)

    answer = admin_client.post(
        page(announcement), {"subject_en": "Other", "text_en": "Words"}, follow=True
    )

    assert TOO_LATE in text_of(answer)
    assert Announcement.objects.get().subject_en == "New tea"


@pytest.mark.parametrize("name", ["withdraw", "stop", "go-on"])
def test_back_to_a_decision_that_is_over_says_so(admin_client: Client, name: str) -> None:
    announcement = draft()

    answer = admin_client.get(page(announcement, name), follow=True)

    assert TOO_LATE in text_of(answer)
    assert answer.redirect_chain[-1][0] == page(announcement)


def test_back_to_the_sending_of_what_is_planned_says_so(admin_client: Client) -> None:
    announcement = draft()
    sent = open_page(admin_client, page(announcement, "send"))
    sent.send()

    answers = [admin_client.get(page(announcement, "send"), follow=True), sent.send_and_follow()]

    assert [TOO_LATE in text_of(answer) for answer in answers] == [True, True]
    assert Announcement.objects.get().status == State.SCHEDULED


@pytest.mark.parametrize("name", ["send", "withdraw", "stop", "go-on"])
def test_a_clerk_who_only_looks_can_decide_nothing(clerk_client: Client, name: str) -> None:
    announcement = draft()

    assert clerk_client.post(page(announcement, name)).status_code == 403
    assert clerk_client.get(page(announcement)).status_code == 200


def test_the_list_and_the_page_ask_the_same_however_many_there_are(admin_client: Client) -> None:
    announcement = sending(3)
    for _number in range(10):
        draft()

    with CaptureQueriesContext(connection) as listed:
        admin_client.get("/admin/orders/announcement/")
    with CaptureQueriesContext(connection) as shown:
        admin_client.get(page(announcement))

    assert len(listed) <= 8
    assert len(shown) <= 16


# ── What is sent is what was shown ──────────────────────────────────────────────────────────────
@pytest.fixture
def colleague(db: None) -> Client:
    """A second operator, “grace”, at a desk of her own."""
    client = Client()
    client.force_login(User.objects.create_superuser("grace", "grace@example.org", "secret"))
    return client


def test_a_text_that_was_changed_after_the_preview_is_not_sent_unseen(
    admin_client: Client, colleague: Client
) -> None:
    announcement = draft()
    preview = open_page(admin_client, page(announcement, "send"))
    open_page(colleague, page(announcement)).send(subject_en="Old coffee")

    refused = preview.send(at="2099-01-01T10:00")

    text = text_of(refused)
    assert refused.status_code == 422
    assert "The text was changed by grace meanwhile. Read this one, then send it." in text
    assert "Old coffee" in text
    assert 'value="2099-01-01T10:00"' in text
    assert Announcement.objects.get().status == State.DRAFT
    again = read_page(admin_client, preview.url, refused.content.decode()).send()
    assert again.status_code == 302
    assert Announcement.objects.get().status == State.SCHEDULED


def test_a_preview_that_does_not_say_what_it_showed_sends_nothing(admin_client: Client) -> None:
    announcement = draft()

    answer = open_page(admin_client, page(announcement, "send")).send(shown=None)

    assert answer.status_code == 422
    assert "The text isn&#x27;t the one that your page showed." in text_of(answer)
    assert Announcement.objects.get().status == State.DRAFT


def test_a_changed_text_is_told_beside_a_time_that_is_over(
    admin_client: Client, colleague: Client
) -> None:
    announcement = draft()
    preview = open_page(admin_client, page(announcement, "send"))
    open_page(colleague, page(announcement)).send(subject_en="Old coffee")

    text = text_of(preview.send(at="2020-01-01T10:00"))

    assert "This time is in the past." in text
    assert "The text was changed by grace meanwhile." in text


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("is_locked", "sent"),
    [
        pytest.param(True, "New tea", id="locked"),
        pytest.param(False, "Old coffee", id="control: without the lock another text is sent"),
    ],
)
def test_an_edit_at_the_moment_of_the_sending_does_not_change_what_is_sent(
    admin_client: Client,
    colleague: Client,
    monkeypatch: pytest.MonkeyPatch,
    is_locked: bool,
    sent: str,
) -> None:
    announcement = draft()
    preview = open_page(admin_client, page(announcement, "send"))
    edit = open_page(colleague, page(announcement))
    digest = announcements.texts_digest
    edits: list[Future[None]] = []

    def change_the_text() -> None:
        try:
            edit.send(subject_en="Old coffee")
        finally:
            connections.close_all()

    def digest_before_an_edit(shown: Announcement) -> str:
        found = digest(shown)
        edits.append(threads.submit(change_the_text))
        wait(edits, timeout=2)
        return found

    if not is_locked:
        monkeypatch.setattr(QuerySet, "select_for_update", lambda rows, **options: rows)
    with ThreadPoolExecutor(1) as threads:
        monkeypatch.setattr(announcements, "texts_digest", digest_before_an_edit)
        preview.send()

    assert len(edits) == 1
    announcement.refresh_from_db()
    assert (announcement.status, announcement.subject_en) == (State.SCHEDULED, sent)
