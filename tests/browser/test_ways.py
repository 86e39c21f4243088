"""The same way to an order for everybody: without JavaScript, in Chinese, by keyboard, enlarged,
without motion, and with steps back.
"""

import re

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.pages import assert_fits
from tests.browser.shopper import (
    DRAFT,
    ORDER,
    choose_delivery,
    fill_in_checkout,
    new_email,
    opened,
    order_once,
    put_in_cart,
    send,
    speak,
    totals_of,
)
from tests.live import LiveShop

pytestmark = [
    pytest.mark.live,
    pytest.mark.slow,
    pytest.mark.xdist_group("live"),
    pytest.mark.timeout(240),
]

BANK = re.compile("/test-bank/")

FOCUS = """() => {
  const at = document.activeElement;
  const box = at.getBoundingClientRect();
  const isRinged = (one, part) => {
    const style = getComputedStyle(one, part);
    return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 1;
  };
  const seen = [at, at.closest("label"), at.closest(".search")].filter(Boolean);
  const hit = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  return {
    what: at.outerHTML.slice(0, 120),
    isRinged: seen.some((one) => isRinged(one) || isRinged(one, "::after")),
    isInside: box.bottom > 0 && box.top < innerHeight && box.width > 4 && box.height > 4,
    isCovered: !hit || !seen.some((one) => one.contains(hit) || hit.contains(one)),
  };
}"""
"""What of the focus can be seen: a ring around it, itself within the window, nothing above it."""

MOVING = """() => document.getAnimations()
  .filter((one) => one.playState === "running" && one.effect.getComputedTiming().endTime > 1)
  .map((one) => one.animationName || one.transitionProperty)"""
WORDS = (
    "all => all.filter(one => one.offsetParent).map(one => one.innerText.trim()).filter(Boolean)"
)


def test_the_whole_way_without_javascript(browser: Browser, live_shop: LiveShop) -> None:
    email = new_email()
    with opened(browser, width=390, java_script_enabled=False) as page:
        page.goto(live_shop.url)
        page.locator("#search").fill("mug")
        page.keyboard.press("Enter")
        page.get_by_role("link", name="Stoneware mug").first.click()
        page.get_by_role("button", name="Add to cart").click()
        page.get_by_role("link", name="View cart").click()
        page.get_by_role("button", name=re.compile("One more of")).click()
        expect(page.get_by_label("Quantity of Stoneware mug")).to_have_value("2")
        page.get_by_role("link", name="Checkout").click()
        page.locator("#id_email").fill(email)
        page.locator("#id_name").fill("Zoë 王")
        page.locator("input[name=handover][value=delivery]").check()
        page.locator("#id_country").select_option("DE")
        page.locator("#id_line1").fill("Am Kai 1")
        page.locator("#id_city").fill("Kiel")
        page.locator("#id_postcode").fill("24103")
        page.locator("button[value=delivery]").click()
        page.locator(".quotes input[value^=steady]").first.check()
        page.locator("button[value=delivery]").click()
        expect(page.locator("#totals")).to_contain_text("Steady Standard")
        send(page)
        expect(page).to_have_url(BANK)
        page.get_by_role("button", name="Pay").click()
        expect(page).to_have_url(ORDER)
        # Without JavaScript the page is loaded anew by itself until nothing more happens.
        expect(page.locator("#order-news")).to_contain_text("is paid", timeout=60_000)
        assert_fits(page)
    assert len(totals_of(live_shop, email)) == 1


def test_the_whole_way_in_chinese(page: Page, live_shop: LiveShop) -> None:
    email = new_email()
    speak(page, live_shop, "zh-hans")

    def assert_all_is_chinese() -> None:
        expect(page.locator("html")).to_have_attribute("lang", "zh-hans")
        texts = page.locator("main :is(button, legend, label, h1)").evaluate_all(WORDS)
        products = page.locator("main bdi").evaluate_all(WORDS)
        foreign = [text for text in texts if not re.search(r"[\u4e00-\u9fff]", text)]
        assert [text for text in foreign if text not in products] == []
        assert_fits(page)

    page.goto(live_shop.url)
    assert_all_is_chinese()
    put_in_cart(page, live_shop)
    assert_all_is_chinese()
    page.goto(f"{live_shop.url}/cart/")
    assert_all_is_chinese()
    fill_in_checkout(page, live_shop, email="zoe")
    choose_delivery(page)
    send(page)
    expect(page).to_have_url(DRAFT)
    assert_all_is_chinese()
    page.locator("#id_email").fill(email)
    send(page)
    expect(page).to_have_url(ORDER)
    expect(page.locator(".stages-next")).to_contain_text(re.compile(r"[\u4e00-\u9fff]"))
    assert_all_is_chinese()
    assert len(totals_of(live_shop, email)) == 1


def tab_to(page: Page, target: Locator, *, key: str = "Tab") -> None:
    """Press the key until the target has the focus, which can be seen at every step."""
    is_there = "one => one === document.activeElement"
    for _press in range(80):
        if target.evaluate(is_there):
            return
        page.keyboard.press(key)
        focus = page.evaluate(FOCUS)
        assert focus["isRinged"], focus["what"]
        assert focus["isInside"], focus["what"]
        assert not focus["isCovered"], focus["what"]
    raise AssertionError(f"the keyboard doesn't reach {target}")


@pytest.mark.parametrize("width", [390, 1280])
def test_the_whole_way_by_keyboard(browser: Browser, live_shop: LiveShop, width: int) -> None:
    with opened(browser, width=width) as page:
        order_by_keyboard(page, live_shop)


def order_by_keyboard(page: Page, live_shop: LiveShop) -> None:
    email = new_email()
    type_text, press = page.keyboard.type, page.keyboard.press
    page.goto(live_shop.url)
    search = page.get_by_role("combobox", name="Search the shop")
    tab_to(page, search)
    type_text("mug")
    options = page.get_by_role("option")
    expect(options.first).to_be_visible()
    press("ArrowDown")
    expect(options.first).to_have_attribute("aria-selected", "true")
    chosen = options.first.get_attribute("id") or ""
    expect(search).to_have_attribute("aria-activedescendant", chosen)
    press("ArrowUp")
    expect(search).not_to_have_attribute("aria-activedescendant", chosen)
    press("Escape")
    expect(options.first).to_be_hidden()
    expect(search).to_have_value("mug")
    press("ArrowDown")
    mug = page.get_by_role("option", name=re.compile("Stoneware mug"))
    while mug.get_attribute("aria-selected") != "true":
        press("ArrowDown")
    press("Enter")
    expect(page).to_have_url(re.compile("/products/stoneware-mug/"))

    tab_to(page, page.get_by_role("button", name="Add to cart"))
    press("Enter")
    expect(page.locator("#cart-link .cart-count")).to_be_visible()
    tab_to(page, page.locator("#cart-link"), key="Shift+Tab")
    press("Enter")
    expect(page).to_have_url(f"{live_shop.url}/cart/")
    tab_to(page, page.get_by_role("link", name="Checkout"))
    press("Enter")
    expect(page).to_have_url(f"{live_shop.url}/checkout/")
    for field, text in (("#id_email", email), ("#id_name", "Zoë 王")):
        tab_to(page, page.locator(field))
        type_text(text)
    tab_to(page, page.locator("input[name=handover]:checked"))
    press("ArrowDown")
    expect(page.locator("input[name=handover][value=delivery]")).to_be_checked()
    tab_to(page, page.locator("#id_country"))
    type_text("Germ")
    expect(page.locator("#id_country")).to_have_value("DE")
    fields = (("#id_line1", "Am Kai 1"), ("#id_postcode", "24103"), ("#id_city", "Kiel"))
    for field, text in fields:
        tab_to(page, page.locator(field))
        type_text(text)
    press("Tab")
    expect(page.locator(".quotes input").first).to_be_visible()
    tab_to(page, page.locator("input[name=payment]:checked"))
    while not page.locator("input[name=payment][value=transfer]").is_checked():
        press("ArrowDown")
    tab_to(page, page.locator("input[name=delivery]:checked"), key="Shift+Tab")
    before = page.locator("#totals button").inner_text()
    press("ArrowDown")
    tab_to(page, page.locator("#totals button"))
    # The other carrier's price comes, and leaves the focus where it is.
    expect(page.locator("#totals button")).not_to_have_text(before)
    expect(page.locator("#totals button")).to_be_focused()
    press("Enter")
    expect(page).to_have_url(ORDER)
    tab_to(page, page.get_by_role("button", name="Order again"))
    assert len(totals_of(live_shop, email)) == 1


def test_a_step_back_never_meets_a_dead_page(page: Page, live_shop: LiveShop) -> None:
    """Each page of the way is a page of its own: Back shows it again, or what became of it."""
    email = new_email()
    page.goto(live_shop.url)
    page.goto(f"{live_shop.url}/?q=mug")
    put_in_cart(page, live_shop)
    page.goto(f"{live_shop.url}/cart/")
    page.get_by_role("button", name=re.compile("One more of")).click()
    expect(page.get_by_label("Quantity of Stoneware mug")).to_have_value("2")
    page.go_back()
    page.go_forward()
    expect(page.get_by_label("Quantity of Stoneware mug")).to_have_value("2")
    fill_in_checkout(page, live_shop, email="zoe")
    send(page)
    expect(page).to_have_url(DRAFT)
    page.go_back()
    expect(page).to_have_url(f"{live_shop.url}/checkout/")
    expect(page.locator("#id_name")).to_have_value("Zoë 王")
    page.locator("#id_email").fill(email)
    send(page)
    expect(page).to_have_url(ORDER)
    order = page.url
    for _step in range(2):
        page.go_back()
        if page.url == order:
            break
    expect(page).to_have_url(order)
    assert len(totals_of(live_shop, email)) == 1
    page.goto(f"{live_shop.url}/checkout/")
    expect(page).to_have_url(order)
    page.reload()
    assert len(totals_of(live_shop, email)) == 1


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_enlarged_to_200_percent_nobody_scrolls_sideways(
    browser: Browser, live_shop: LiveShop, language: str
) -> None:
    """A window of 1280 pixels at 200 % has room for 640."""
    with opened(browser, width=640, height=450, device_scale_factor=2) as page:
        speak(page, live_shop, language)
        for path in ("/", "/?q=mug", "/?q=zzz", "/products/stoneware-mug/", "/orders/find/"):
            page.goto(live_shop.url + path)
            assert_fits(page)
        put_in_cart(page, live_shop)
        assert_fits(page)
        page.goto(f"{live_shop.url}/cart/")
        assert_fits(page)
        fill_in_checkout(page, live_shop, email=new_email())
        choose_delivery(page)
        assert_fits(page)
        send(page)
        expect(page).to_have_url(ORDER)
        assert_fits(page)


def test_who_wants_no_motion_sees_none(browser: Browser, live_shop: LiveShop) -> None:
    with opened(browser, reduced_motion="reduce") as page:
        page.goto(live_shop.url)
        page.locator(".card").first.hover()
        assert page.evaluate(MOVING) == []
        order_once(page, live_shop, email=new_email())
        page.get_by_role("button", name="Order again").hover()
        assert page.evaluate(MOVING) == []
        page.locator("body").evaluate(
            "body => body.insertAdjacentHTML('beforeend', '<span class=spinner></span>')"
        )
        assert page.evaluate(MOVING) == []
    with opened(browser, reduced_motion="no-preference") as page:  # the check can fail
        order_once(page, live_shop, email=new_email())
        page.locator("body").evaluate(
            "body => body.insertAdjacentHTML('beforeend', '<span class=spinner></span>')"
        )
        assert page.evaluate(MOVING) != []
