"""Messages at the desk, in a real browser on the live shop: what failed for one reason is sent."""

import re
from random import choices
from string import ascii_lowercase
from uuid import uuid4

import psycopg
import pytest
from playwright.sync_api import Page, expect

from tests.browser.pages import assert_fits, sign_in
from tests.live import LiveShop, wait_until

pytestmark = [
    pytest.mark.live,
    pytest.mark.slow,
    pytest.mark.xdist_group("live"),
    pytest.mark.timeout(180),
]

LIST = "/admin/notifications/notification/"

FAILED = """
INSERT INTO notifications_notification
    (id, kind, context, event, channel, recipient, language, status, error, text, finished_at)
VALUES (%s, 'order_link.email', '{}', 'order_link', 'email', %s, 'en', 'failed', %s, 'Hello', now())
"""


def fail(shop: LiveShop, *, recipients: list[str], error: str) -> list[str]:
    """Write messages that failed so, and return their ids."""
    ids = [str(uuid4()) for _recipient in recipients]
    with psycopg.connect(shop.env["DATABASE_URL"]) as connection:
        for job_id, recipient in zip(ids, recipients, strict=True):
            connection.execute(FAILED, (job_id, recipient, error.format(recipient=recipient)))
    return ids


def statuses(shop: LiveShop, ids: list[str]) -> set[str]:
    with psycopg.connect(shop.env["DATABASE_URL"]) as connection:
        asked = "SELECT status FROM notifications_notification WHERE id = ANY(%s::uuid[])"
        return {row[0] for row in connection.execute(asked, (ids,))}


def test_all_that_failed_of_one_error_are_retried_and_arrive(
    page: Page, live_shop: LiveShop
) -> None:
    run = "".join(choices(ascii_lowercase, k=8))  # no digits: it would be taken for an id
    of_one = fail(
        live_shop,
        recipients=[f"{name}-{run}@example.org" for name in ("ada", "bob", "cyd")],
        error=f"550 5.1.1 <{{recipient}}>: greylisted by {run}",
    )
    of_another = fail(live_shop, recipients=[f"dan-{run}@example.org"], error="554 5.7.1 Refused")
    sign_in(page, live_shop)
    page.goto(f"{live_shop.url}{LIST}")
    assert_fits(page)

    page.locator("a").filter(has_text=re.compile(r"^\s*Filters")).first.click()
    page.get_by_role("link", name=re.compile(f"greylisted by {run}")).first.click()
    page.get_by_role("link", name="Retry all …").click()
    expect(page.get_by_role("heading", name="Retry 3 messages?")).to_be_visible()
    assert_fits(page)
    page.get_by_role("button", name="Retry", exact=True).click()

    expect(page.get_by_text("3 jobs are queued again.")).to_be_visible()
    wait_until(lambda: statuses(live_shop, of_one) == {"done"}, seconds=60, what="all are sent")
    assert statuses(live_shop, of_another) == {"failed"}
    page.goto(f"{live_shop.url}{LIST}{of_one[0]}/change/")
    expect(page.get_by_text("sent", exact=True).first).to_be_visible()
    assert_fits(page)
