"""Pages and what they load are sent compressed; programs and files are left as they are."""

import gzip
from typing import Any

import pytest
from django.test import Client


def get(path: str, **headers: str) -> tuple[Any, bytes]:
    """Get the path as a browser that can read gzip; return the answer and its body."""
    sent = {"Accept-Encoding": "gzip, deflate, br"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    answer = Client().get(path, headers=sent)
    body = b"".join(answer) if answer.streaming else answer.content
    answer.close()
    return answer, body


@pytest.mark.django_db
def test_a_page_is_compressed_for_browsers_that_can_read_it(client: Client) -> None:
    plain = client.get("/orders/find/")
    packed, body = get("/orders/find/")

    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert b"<h1>" in gzip.decompress(body)
    assert len(body) < len(plain.content) / 2


def test_a_style_sheet_is_compressed_and_known_again() -> None:
    path = "/static/shop/base.css"
    first, body = get(path)
    known, _nothing = get(path, If_Modified_Since=first.headers["Last-Modified"])
    part, begin = get(path, Range="bytes=0-299")

    assert first.headers["Content-Encoding"] == "gzip"
    assert b":root" in gzip.decompress(body)
    assert "ETag" not in first.headers
    assert known.status_code == 304
    assert (part.status_code, len(begin)) == (206, 300)


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/api/v1/openapi.json", "/static/shop/fonts/inter-latin.woff2"])
def test_other_answers_are_left_as_they_are(path: str) -> None:
    answer, body = get(path)

    assert "Content-Encoding" not in answer.headers
    assert int(answer.headers.get("Content-Length", len(body))) == len(body)
