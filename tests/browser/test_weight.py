"""How heavy and how fast the shop's pages are, measured in a real browser on the live shop.

Each page is loaded by somebody who has nothing of the shop in the cache. Run with `-s` to see the
figures; docs/shopping.md has them.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.shopper import new_email, opened, order_once, put_in_cart
from tests.live import LiveShop
from tests.time_bounds import stretched

pytestmark = [
    pytest.mark.live,
    pytest.mark.slow,
    pytest.mark.xdist_group("live"),
    pytest.mark.timeout(300),
]

MOST_KB = 100.0
"""Thousands of bytes as they are sent, compressed, without pictures and films."""
MOST_LCP = 1.5
"""Seconds until the largest element is painted, on a processor slowed down to a quarter."""
MOST_CLS = 0.05
"""How much of the page jumps while it loads (Cumulative Layout Shift)."""
SLOWDOWN = 4
ROUNDS = 3
PAGES = ("home", "list", "product", "cart", "checkout", "order")

OBSERVED = """() => new Promise((done) => {
  let largest = 0, shifted = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) largest = entry.startTime;
  }).observe({ type: "largest-contentful-paint", buffered: true });
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) shifted += entry.value;
  }).observe({ type: "layout-shift", buffered: true });
  setTimeout(() => done([largest / 1000, shifted]), 1500);
})"""


@dataclass
class Shopper:
    """The cookies of somebody who has a cart and an order, and the addresses of the pages."""

    cookies: Any
    urls: dict[str, str]


@pytest.fixture(scope="module")
def shopper(browser: Browser, live_shop: LiveShop) -> Iterator[Shopper]:
    with opened(browser) as page:
        order_once(page, live_shop, email=new_email())
        order = page.url
        put_in_cart(page, live_shop)
        paths = ["/", "/?q=mug", "/products/stoneware-mug/", "/cart/", "/checkout/"]
        urls = [*(live_shop.url + path for path in paths), order]
        yield Shopper(page.context.storage_state(), dict(zip(PAGES, urls, strict=True)))


def sent_kb(page: Page, url: str) -> dict[str, float]:
    """Load the page; return what was sent by kind (Document, Stylesheet, …), without pictures."""
    kinds: dict[str, str] = {}
    sent: dict[str, float] = defaultdict(float)
    devtools = page.context.new_cdp_session(page)
    devtools.send("Network.enable")

    def note(event: dict[str, Any]) -> None:
        sent[kinds.get(event["requestId"], "Other")] += event["encodedDataLength"] / 1000

    devtools.on("Network.requestWillBeSent", lambda it: kinds.update({it["requestId"]: it["type"]}))
    devtools.on("Network.loadingFinished", note)
    page.goto(url)
    page.wait_for_load_state("networkidle")
    return {kind: kb for kind, kb in sent.items() if kind not in ("Image", "Media")}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_light(browser: Browser, shopper: Shopper, name: str) -> None:
    with opened(browser, storage_state=shopper.cookies) as page:
        sent = sent_kb(page, shopper.urls[name])
    parts = ", ".join(f"{kind} {kb:.1f}" for kind, kb in sorted(sent.items()))
    print(f"\n{name}: {sum(sent.values()):.1f} kB ({parts})")
    assert {"Document", "Stylesheet", "Font"} <= sent.keys()
    assert sum(sent.values()) < MOST_KB


@pytest.mark.parametrize("width", [390, 1280], ids=["phone", "desktop"])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_there_at_once_and_stays_in_its_place(
    browser: Browser, shopper: Shopper, name: str, width: int
) -> None:
    rounds = []
    for _round in range(ROUNDS):
        with opened(browser, width=width, storage_state=shopper.cookies) as page:
            devtools = page.context.new_cdp_session(page)
            devtools.send("Emulation.setCPUThrottlingRate", {"rate": SLOWDOWN})
            page.goto(shopper.urls[name])
            rounds.append(page.evaluate(OBSERVED))
    lcp = median(largest for largest, _shifted in rounds)
    cls = max(shifted for _largest, shifted in rounds)
    print(f"\n{name} at {width}: LCP {lcp:.2f} s, CLS {cls:.3f}")
    assert 0 < lcp < stretched(MOST_LCP)
    assert cls < MOST_CLS
