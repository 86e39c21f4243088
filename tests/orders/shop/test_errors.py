"""Error pages look like the shop's, even while the database is down."""

import errno
import re
from html import unescape
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client, RequestFactory
from django.utils import translation

from orders.shop.views.errors import WORDS, page_of, too_many_requests
from project.conf.media_storage import StorageDownError
from tests.factories import add_product
from tests.orders.shop.pages import text_of


@pytest.mark.django_db
def test_a_page_that_is_not_there_leads_back_to_the_shop(client: Client) -> None:
    page = client.get("/nope/")

    assert page.status_code == 404
    assert "There is nothing here" in text_of(page)
    assert 'href="/"' in page.content.decode()


@pytest.mark.django_db
def test_a_page_that_is_not_there_offers_the_search_and_what_is_on_sale(client: Client) -> None:
    add_product("MUG")

    page = client.get("/nope/").content.decode()

    assert 'name="q"' in page
    assert 'href="/?category=things"' in page


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_a_wrong_method_has_a_page_for_people_and_none_for_programs(language: str) -> None:
    client = Client()
    client.cookies["django_language"] = language

    person = client.get("/checkout/address/", HTTP_ACCEPT="text/html,*/*;q=0.8")
    program = client.get("/checkout/address/", HTTP_ACCEPT="*/*")
    page = client.get("/api/v1/quotes", HTTP_ACCEPT="text/html")

    assert (person.status_code, person.headers["Allow"]) == (405, "POST")
    assert f'<html lang="{language}">' in person.content.decode()
    assert int(person.headers["Content-Length"]) == len(person.content)
    assert program.content == b""
    assert page.headers["Content-Type"] == "application/problem+json"


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_each_error_has_a_page_in_each_language_also_in_an_empty_shop(
    rf: RequestFactory, language: str
) -> None:
    is_chinese = language == "zh-hans"
    with translation.override(language):
        for status, words in WORDS.items():
            page = page_of(status, rf.get("/cart/"), retry_after=5)
            title, text = map(str, words)

            assert page.status_code == status
            assert f'<html lang="{language}">' in page.content.decode()
            assert title in unescape(text_of(page))
            assert text in unescape(text_of(page))
            assert bool(re.search(r"[\u4e00-\u9fff]", title)) == is_chinese
            assert bool(re.search(r"[\u4e00-\u9fff]", text)) == is_chinese
            assert 'href="/"' in page.content.decode()
            assert 'href="/orders/find/"' in page.content.decode()


@pytest.mark.django_db
def test_what_is_too_large_says_so(client: Client, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100

    page = client.post("/orders/find/", {"number": "x" * 200})

    assert page.status_code == 413
    assert "What you sent is too large" in text_of(page)


def test_a_wait_is_told_in_words_and_to_programs(rf: RequestFactory) -> None:
    busy, often = page_of(503, rf.get("/cart/"), retry_after=5), too_many_requests(rf.get("/cart/"))

    assert (busy.headers["Retry-After"], often.headers["Retry-After"]) == ("5", "60")
    assert "Try again in 5 seconds." in text_of(busy)
    assert "Try again in 1 minute." in text_of(often)
    assert 'href="/cart/"' in busy.content.decode()
    assert 'href="/cart/"' not in page_of(503, rf.post("/cart/")).content.decode()


@pytest.mark.parametrize(
    ("error", "status", "title"),
    [
        (OperationalError("gone"), 503, "The shop is busy"),
        (StorageDownError("gone"), 503, "The shop is busy"),
        (OSError(errno.ENOSPC, "gone"), 503, "The shop is busy"),
        (OSError(errno.EPERM, "gone"), 500, "Something went wrong on our side"),
        (RuntimeError("gone"), 500, "Something went wrong on our side"),
    ],
)
def test_a_failure_is_told_without_the_database(
    monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, title: str
) -> None:
    def fail(*arguments: object) -> None:
        raise error

    monkeypatch.setattr("orders.shop.views.products.products_on_sale", fail)
    client = Client(raise_request_exception=False)
    client.cookies["sessionid"] = "a-session-that-could-not-be-read"

    page = client.get("/products/mug/")

    assert page.status_code == status
    assert title in text_of(page)
    assert "gone" not in text_of(page)
    assert page.has_header("Retry-After") == (status == 503)


def test_a_broken_form_says_what_to_do() -> None:
    page = Client(enforce_csrf_checks=True).post("/cart/")

    assert page.status_code == 403
    assert "This form is out of date" in text_of(page)


def test_error_pages_speak_the_language_of_the_page() -> None:
    client = Client(enforce_csrf_checks=True)
    client.cookies["django_language"] = "zh-hans"

    assert '<html lang="zh-hans">' in client.post("/cart/").content.decode()
