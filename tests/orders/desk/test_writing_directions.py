"""Names from right to left: on every page each stands by itself, and moves no word beside it.

A name that shares its block with other words needs an element that isolates it (`bdi`, or `dir`
of its own), or the marks U+2068 and U+2069 where no element can be, as in a title.
"""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.urls import reverse
from django.utils import translation

from media_jobs.models import Asset, MediaJob
from notifications.models import Notification
from orders.models import (
    Announcement,
    Category,
    DeskJob,
    Order,
    OrderEvent,
    OrderLine,
    Product,
    StockMovement,
    Upload,
    User,
)
from project.models import LimitCounter
from tests.desk import placed
from tests.factories import add_product

pytestmark = pytest.mark.django_db

ARABIC = "محمد"
DOMAIN = "شركة"
ADDRESS = "ada@xn--mgbb7fjb.example"
RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff]")
BY_MARKS = re.compile("\u2068[^\u2068\u2069]*\u2069")
BLOCKS = frozenset(
    (
        *("address", "article", "aside", "blockquote", "body", "caption", "dd", "details", "div"),
        *("dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "header", "label"),
        *("h1", "h2", "h3", "h4", "h5", "h6", "legend", "li", "main", "nav", "ol", "option", "p"),
        *("pre", "section", "select", "summary", "table", "tbody", "td", "tfoot", "th", "thead"),
        *("title", "tr", "ul"),
    )
)
VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr")
)
UNSEEN = frozenset(("script", "style", "template", "textarea", "svg"))


class _Blocks(HTMLParser):
    """Collects the texts of each block that hold a name from right to left beside other words."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._open: list[tuple[str, bool]] = []  # with whether it isolates
        self._text = ""  # of this block, names that are isolated left out

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in BLOCKS or tag == "br":
            self._end_block()
        if tag not in VOID:
            self._open.append((tag, tag == "bdi" or "dir" in dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag in BLOCKS:
            self._end_block()
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        tags = {tag for tag, _isolates in self._open}
        if not tags & UNSEEN:
            is_isolated = any(isolates for tag, isolates in self._open if tag != "html")
            self._text += "…" if is_isolated else BY_MARKS.sub("…", data)

    def _end_block(self) -> None:
        text = " ".join(self._text.split())
        name = "".join(RIGHT_TO_LEFT.findall(text))
        if name and re.search(r"[^\s\u0590-\u08ff]", text):
            self.found.append(text)
        self._text = ""


def mixed_in(html: str) -> list[str]:
    """Return the texts in which a name from right to left stands unisolated among others."""
    blocks = _Blocks()
    blocks.feed(html)
    blocks.close()
    return blocks.found


@pytest.fixture(autouse=True)
def language_is_restored() -> Iterator[None]:
    with translation.override("en"):
        yield


@pytest.fixture
def order(admin_user: Any) -> Order:
    """An order whose every word is from right to left, and what belongs to it and its shopper."""
    product = add_product("MUG")
    Product.objects.update(name=ARABIC)
    Category.objects.update(name=ARABIC)
    shopper = User.objects.create_user(ARABIC, email=ADDRESS, password="a password of hers")
    User.objects.filter(pk=shopper.pk).update(name=ARABIC)
    EmailAddress.objects.create(user=shopper, email=ADDRESS, verified=True, primary=True)
    order = placed(product, name=ARABIC)
    Order.objects.update(
        user=shopper,
        email=ADDRESS,
        address={
            "line1": ARABIC,
            "line2": ARABIC,
            "city": ARABIC,
            "postcode": "1",
            "country": "EG",
        },
    )
    OrderLine.objects.update(name=ARABIC)
    OrderEvent.objects.create(
        order=order, kind="cancelled", detail={"reason": ARABIC}, user=shopper
    )
    OrderEvent.objects.create(
        order=order,
        kind="refunded",
        detail={"amount": "1.00", "items": [{"quantity": 1, "name": ARABIC}]},
    )
    OrderEvent.objects.create(
        order=order, kind="shipped", detail={"carrier": ARABIC, "tracking_number": "7"}
    )
    Upload.objects.create(
        name=ARABIC, file="a/b.png", content_type="image/png", size=1, sha256="0" * 64,
        address="192.0.2.1", line=OrderLine.objects.get(), quantity=1,
    )  # fmt: skip
    Notification.objects.update(recipient=ADDRESS, subject=f"Hello {ARABIC}", text=ARABIC)
    MediaJob.objects.create(
        order_id=order.pk, kind="print", source="upload:1", recipe="print_picture",
        context={"name": ARABIC, "product": ARABIC, "number": order.display_number},
    )  # fmt: skip
    Asset.objects.create(name=ARABIC, file="c.png", sha256="1" * 64, content_type="x", size=1)
    DeskJob.objects.create(kind="import_products", context={"name": f"{ARABIC}.zip"}, user=shopper)
    Announcement.objects.create(subject_en=ARABIC, text_en=ARABIC, user=shopper)
    StockMovement.objects.create(product=product, kind="correction", quantity=1, reason=ARABIC)
    LimitCounter.objects.create(
        name="order:email", key=ADDRESS, used=1, allowed=1,
        ends_at="2099-01-01T00:00Z",
    )  # fmt: skip
    LogEntry.objects.create(
        user=shopper, content_type=ContentType.objects.get_for_model(Order), object_id=order.pk,
        object_repr=str(shopper), action_flag=CHANGE, change_message="Changed.",
    )  # fmt: skip
    order.refresh_from_db()
    return order


def desk_pages() -> list[str]:
    urls = [reverse("admin:index")]
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        urls.append(reverse(f"{name}_changelist"))
        for row in model._default_manager.order_by("-pk")[:2]:
            urls += [
                reverse(f"{name}_{page}", args=[row.pk]) for page in ("change", "history", "delete")
            ]
    return urls


def test_no_name_moves_the_words_beside_it_at_the_desk(admin_client: Client, order: Order) -> None:
    found: dict[str, list[str]] = {}
    names = 0
    for url in desk_pages():
        answer = admin_client.get(url)
        if answer.status_code == 200:
            html = answer.content.decode()
            names += len(RIGHT_TO_LEFT.findall(html)) > 0
            found[url] = mixed_in(html)

    assert names > 20
    assert {url: texts for url, texts in found.items() if texts} == {}


def test_no_page_of_the_desk_shows_a_domain_as_dns_has_it(
    admin_client: Client, order: Order
) -> None:
    shown = {
        url: re.findall(r">[^<]*xn--[^<]*<", answer.content.decode())
        for url in desk_pages()
        if (answer := admin_client.get(url)).status_code == 200
    }

    assert {url: texts for url, texts in shown.items() if texts} == {}


def test_no_name_moves_the_words_beside_it_in_the_shop(client: Client, order: Order) -> None:
    client.force_login(User.objects.get(username=ARABIC))
    client.post("/cart/", {"action": "add", "sku": "MUG"})
    pages = ["/", "/cart/", "/checkout/", f"/orders/{order.pk}/", order.lines.get().product
             .get_absolute_url(), "/accounts/", "/accounts/settings/"]  # fmt: skip

    found = {}
    for url in pages:
        answer = client.get(url)
        assert answer.status_code == 200, url
        html = answer.content.decode()
        assert RIGHT_TO_LEFT.search(html), url
        found[url] = mixed_in(html)

    assert {url: texts for url, texts in found.items() if texts} == {}


@pytest.mark.parametrize(
    ("html", "found"),
    [
        (f"<p>Hello {ARABIC}, 3</p>", [f"Hello {ARABIC}, 3"]),
        (f"<p>Hello <bdi>{ARABIC}</bdi>, 3</p>", []),
        (f"<p>Hello <b dir='auto'>{ARABIC}</b></p>", []),
        (f"<title>\u2068{ARABIC}\u2069 | 3</title>", []),
        (f"<title>{ARABIC} | 3</title>", [f"{ARABIC} | 3"]),
        (f"<td>{ARABIC}</td><td>3</td>", []),
    ],
)
def test_a_name_that_moves_others_is_found(html: str, found: list[str]) -> None:
    assert mixed_in(html) == found
