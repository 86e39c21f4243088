"""The account's page “My data”: a code before the file and the erasure, and who gets what."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.core import signing
from django.test import Client

from orders.accounts.confirmation import MOST_TRIES
from orders.models import DeskJob, User
from orders.personal_data.jobs import queue_export
from orders.personal_data.person import find_person
from orders.shop.views import my_data
from project.jobs.run import run_job
from tests.factories import make_order
from tests.orders.accounts.pages import ADA, last_code, said
from tests.orders.shop.pages import text_of

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = "/accounts/data/"


@pytest.fixture
def signed_in(client: Client, ada: User, settings: Any, tmp_path: Path) -> Client:
    settings.MEDIA_ROOT = str(tmp_path)
    client.force_login(ada)
    return client


def confirmed(client: Client, wanted: str) -> Any:
    client.post(f"{PAGE}{wanted}/")
    return client.post(f"{PAGE}confirm/", {"code": last_code("confirmation_code")}, follow=True)


def link_in(answer: Any) -> str:
    found = re.search(rf'href="({PAGE}file/[^"]+)"', answer.content.decode())
    return found[1] if found else ""


def made(client: Client) -> DeskJob:
    confirmed(client, "export")
    job = DeskJob.objects.get(kind="export_person")
    run_job(DeskJob, job.pk)
    return job


def test_the_file_is_made_after_a_code_and_handed_out_by_a_link(signed_in: Client) -> None:
    answer = confirmed(signed_in, "export")
    assert "We are making it" in text_of(answer)
    run_job(DeskJob, DeskJob.objects.get(kind="export_person").pk)

    page = signed_in.get(PAGE)
    file = signed_in.get(link_in(page))

    assert file.status_code == 200
    assert b"".join(file.streaming_content).startswith(b"PK")
    assert file["Content-Disposition"] == 'attachment; filename="person.zip"'
    assert "no-store" in file["Cache-Control"]


def test_without_a_code_there_is_neither_file_nor_link_nor_erasure(signed_in: Client) -> None:
    user = User.objects.get(username="ada")
    run_job(DeskJob, queue_export(find_person(ADA), user_id=user.pk).pk)

    page = signed_in.get(PAGE)
    answer = signed_in.post(f"{PAGE}erase/")

    assert "Download the file" in text_of(page)
    assert not link_in(page)
    assert answer["Location"] == f"{PAGE}confirm/"
    assert DeskJob.objects.count() == 1
    assert signed_in.get(f"{PAGE}erase/")["Location"] == PAGE


def test_a_link_is_its_accounts_alone_and_ends(
    signed_in: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(signed_in)
    link = link_in(signed_in.get(PAGE))
    other = Client()
    assert other.get(link)["Location"].startswith("/accounts/login/")
    other.force_login(User.objects.create_user("bob", "bob@example.org"))
    assert other.get(link).status_code == 404
    assert signed_in.get(link[:-2] + "x/").status_code == 404
    monkeypatch.setattr(my_data, "LINK_SECONDS", -1)

    assert signed_in.get(link).status_code == 404


def test_an_operators_export_of_a_customer_is_not_on_the_operators_page(signed_in: Client) -> None:
    user = User.objects.get(username="ada")
    run_job(DeskJob, queue_export(find_person("bob@example.org"), user_id=user.pk).pk)

    assert "Download the file" not in text_of(signed_in.get(PAGE))


def test_a_code_is_tried_three_times_and_no_more(signed_in: Client) -> None:
    signed_in.post(f"{PAGE}export/")
    code = last_code("confirmation_code")
    for _try in range(MOST_TRIES):
        answer = signed_in.post(f"{PAGE}confirm/", {"code": "000000"})
        assert answer.status_code == 422

    answer = signed_in.post(f"{PAGE}confirm/", {"code": code})

    assert "tried too often" in text_of(answer)
    assert not DeskJob.objects.exists()


def test_a_new_code_ends_the_one_before(signed_in: Client) -> None:
    signed_in.post(f"{PAGE}export/")
    first = last_code("confirmation_code")
    signed_in.post(f"{PAGE}confirm/", {"action": "resend"})

    answer = signed_in.post(f"{PAGE}confirm/", {"code": first})

    assert answer.status_code == (422 if first != last_code("confirmation_code") else 302)
    assert len(said("confirmation_code")) == 2


def test_codes_are_limited(signed_in: Client) -> None:
    answers = [signed_in.post(f"{PAGE}export/").status_code for _time in range(5)]

    assert 429 in answers
    assert len(said("confirmation_code")) == 3


def test_an_account_is_erased_after_a_code_and_a_last_question(signed_in: Client) -> None:
    make_order(status="cancelled", user=User.objects.get(username="ada"))
    question = confirmed(signed_in, "erase")
    assert "This can't be undone" in text_of(question)
    assert not DeskJob.objects.exists()

    answer = signed_in.post(f"{PAGE}erase/", {"sure": "yes"}, follow=True)

    assert "being deleted" in text_of(answer)
    assert signed_in.get("/accounts/").status_code == 302
    run_job(DeskJob, DeskJob.objects.get(kind="erase_person").pk)
    assert not User.objects.filter(username="ada").exists()
    assert not said("confirmation_code")


def test_the_button_of_the_page_asks_even_if_a_code_was_given_before(signed_in: Client) -> None:
    confirmed(signed_in, "download")

    answer = signed_in.post(f"{PAGE}erase/")

    assert "This can't be undone" in text_of(answer)
    assert not DeskJob.objects.exists()
    assert signed_in.get("/accounts/").status_code == 200


def test_an_open_order_is_told_and_nothing_is_queued(signed_in: Client) -> None:
    order = make_order(user=User.objects.get(username="ada"))
    page = confirmed(signed_in, "erase")
    assert f"Order {order} is still to be paid or delivered." in text_of(page)

    answer = signed_in.post(f"{PAGE}erase/", {"sure": "yes"})

    assert answer.status_code == 422
    assert not DeskJob.objects.exists()


def test_a_stranger_is_led_to_the_door(client: Client, db: None) -> None:
    for page in ("", "confirm/", "export/", "download/", "erase/"):
        assert client.get(f"{PAGE}{page}")["Location"].startswith("/accounts/login/")


def test_a_signed_text_of_another_use_is_no_link(signed_in: Client) -> None:
    token = signing.TimestampSigner(salt="another").sign("1/2")

    assert signed_in.get(f"{PAGE}file/{token}/").status_code == 404
