"""Linking an account in a real browser: its policy lets the answer reach the platform."""

import re
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import AF_INET6
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.pages import assert_fits
from tests.browser.shopper import code_for, new_email
from tests.live import LiveShop

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live"), pytest.mark.timeout(180)]
PLATFORM = "https://platform.test/agent"
VERIFIER = "v" * 50


class _Program(BaseHTTPRequestHandler):
    """A program on the person's machine, to which the browser is led back."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b'<link rel="icon" href="data:,"><h1>Back</h1>')

    def log_message(self, *_args: Any) -> None:
        pass


class _Program6(ThreadingHTTPServer):
    address_family = AF_INET6


@contextmanager
def program(host: str) -> Iterator[str]:
    """Start the program, and give the address at which it waits for the answer."""
    kind = _Program6 if ":" in host else ThreadingHTTPServer
    with kind((host, 0), _Program) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        named = f"[{host}]" if ":" in host else host
        yield f"http://{named}:{server.server_address[1]}/linked"
        server.shutdown()


def asking(shop: LiveShop, address: str) -> str:
    """Return the address at which the platform asks a person."""
    made = shop.manage(
        *("ucp_client", "create", "Ada's assistant", "--platform", PLATFORM, "--public"),
        *("--return", address),
    )
    query = {
        "response_type": "code",
        "client_id": re.findall(r"client_id=(\S+)", made)[0],
        "redirect_uri": address,
        "scope": "dev.ucp.shopping.order:read",
        "code_challenge": urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).rstrip(b"="),
        "code_challenge_method": "S256",
    }
    return f"{shop.url}/accounts/link/?{urlencode(query)}"


def sign_in(page: Page, shop: LiveShop, email: str, *, other_than: str = "") -> str:
    page.get_by_label("E-mail").fill(email)
    page.get_by_role("button", name="Send me the code").click()
    code = code_for(email, shop, other_than=other_than)
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Continue").click()
    return code


def gap(page: Page, above: str, below: str) -> float:
    """Return the room between two elements, in px."""
    boxes = [page.locator(each).first.bounding_box() for each in (above, below)]
    assert boxes[0]
    assert boxes[1]
    return boxes[1]["y"] - boxes[0]["y"] - boxes[0]["height"]


def redeem(shop: LiveShop, asked: str, answered: str) -> None:
    """Get the tokens of the code: only then the person has linked the account."""
    query, answer = (parse_qs(urlsplit(each).query) for each in (asked, answered))
    fields = {
        "grant_type": "authorization_code",
        "client_id": query["client_id"][0],
        "redirect_uri": query["redirect_uri"][0],
        "code": answer["code"][0],
        "code_verifier": VERIFIER,
    }
    httpx.post(f"{shop.url}/ucp/oauth/token", data=fields, trust_env=False).raise_for_status()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_each_answer_leads_back_to_the_program(page: Page, live_shop: LiveShop, host: str) -> None:
    email = new_email()
    with program(host) as address:
        asked = asking(live_shop, address)
        page.goto(asked)
        first = sign_in(page, live_shop, email)
        expect(page.get_by_role("button", name="Allow", exact=True)).to_be_visible()
        assert_fits(page)
        assert gap(page, "h1", ".panel") >= 12
        assert gap(page, ".panel dl", ".panel .buttons") >= 12
        page.get_by_role("button", name="Don’t allow").click()
        expect(page).to_have_url(re.compile(r"/linked\?error=access_denied"))

        page.goto(asked)
        page.get_by_role("button", name="Allow", exact=True).click()
        expect(page).to_have_url(re.compile(r"/linked\?code="))
        redeem(live_shop, asked, page.url)

        page.goto(f"{live_shop.url}/accounts/linked/")
        assert_fits(page)
        assert gap(page, "h1", ".panel") >= 12
        assert gap(page, ".panel dl", ".panel button") >= 12

        page.goto(asked)  # allowed already: nobody is asked
        expect(page).to_have_url(re.compile(r"/linked\?code="))

        page.context.clear_cookies()
        page.goto(asked)  # allowed, but by whom is known only after the form of the sign-in
        sign_in(page, live_shop, email, other_than=first)
        page.get_by_role("button", name="Allow", exact=True).click()
        expect(page).to_have_url(re.compile(r"/linked\?code="))
