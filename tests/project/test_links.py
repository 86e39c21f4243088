"""Links in texts that people wrote, with and without spaces."""

import re
from pathlib import Path

import pytest
from django.template import Context, Template

from notifications.outbox import announcement_message
from notifications.rendering import render

ROOT = Path(__file__).resolve().parents[2]


def linked(text: str) -> str:
    return Template("{% load links %}{{ text|linked }}").render(Context({"text": text}))


def links(html: str) -> list[str]:
    return re.findall('href="([^"]*)"', html)


SHOP = "https://shop.example/sale"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "详情见https://shop.example/sale查看，附链接：https://example.org/。",
            [SHOP, "https://example.org/"],
        ),
        (f"见（{SHOP}）。", [SHOP]),
        (f"“{SHOP}”", [SHOP]),
        (f"《{SHOP}》、{SHOP}；{SHOP}！{SHOP}？", [SHOP] * 4),
        (f"{SHOP}　全角空格", [SHOP]),
        (f"セール{SHOP}です", [SHOP]),
        (f"할인{SHOP}에서", [SHOP]),
        (f"{SHOP}…", [SHOP]),
        (f"{SHOP}\u200b{SHOP}", [SHOP] * 2),
        (f"{SHOP}㐀𠀀", [SHOP]),
        ("请写信给shop@shop.example。", ["mailto:shop@shop.example"]),
        (f"See {SHOP}.", [SHOP]),
        (f"See ({SHOP}), {SHOP}?a=1&b=2#c!", [SHOP, f"{SHOP}?a=1&amp;b=2#c"]),
        ("https://de.example/Grüße", ["https://de.example/Gr%C3%BC%C3%9Fe"]),
        ("没有链接。", []),
    ],
)
def test_a_link_ends_where_the_address_ends(text: str, found: list[str]) -> None:
    assert links(linked(text)) == found


def test_the_words_around_a_link_stay() -> None:
    assert linked("见https://a.example。<b>") == (
        '见<a href="https://a.example" rel="nofollow">https://a.example</a>。&lt;b&gt;'
    )


@pytest.mark.parametrize("text", ["<script>\"'&", 'https://a.example/"><script>', "http://<b>。"])
def test_nothing_gets_through_unescaped(text: str) -> None:
    assert "<script" not in linked(text)
    assert "<b" not in linked(text)


def test_an_announcements_html_has_the_links_of_its_text() -> None:
    message = announcement_message(
        announcement_id=1,
        reader_id=1,
        email="wang@example.org",
        name="王小明",
        language="zh-hans",
        subject="促销",
        text="详情见https://shop.example/sale查看，附链接：https://example.org/。",
        preferences_url="https://shop.example/p/",
        unsubscribe_url="https://shop.example/u/",
    )

    found = links(render(message).html)

    assert SHOP in found
    assert "https://example.org/" in found


def test_no_template_has_the_links_of_djangos_filter() -> None:
    templates = [*ROOT.glob("*/templates/**/*.html"), *ROOT.glob("*/templates/**/*.txt")]

    assert templates
    assert [path.name for path in templates if "|urlize" in path.read_text()] == []
