"""`bench search`: the shop's search against ILIKE, with 100,000 products in both languages."""

import time
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from django.contrib.postgres.indexes import GinIndex
from django.db import connection
from django.db.models import Q

from orders.benchmarks.growth.meter import measured
from orders.catalogue.browsing import products_on_sale
from orders.catalogue.search.filters import Filters, Sort
from orders.catalogue.search.listing import read_listing
from orders.catalogue.search.popularity import note_popularity
from orders.catalogue.search.suggestions import suggest
from orders.catalogue.search.vocabulary import count_words
from orders.models import Category, Product
from project.benchmarks import Report, scratch_database

PRODUCTS = 100_000
ROUNDS = 3
PAGE = 24
TARGET_P95_MS = 50.0

WORDS = {
    "adjectives": (
        "blue red green small large folding light warm soft quiet round oval dotted striped plain",
        "蓝色 红色 绿色 小号 大号 折叠 轻便 保暖 柔软 静音 圆形 椭圆 圆点 条纹 素色",
    ),
    "materials": (
        "steel stoneware canvas cotton oak beech glass leather linen wool copper bamboo ceramic",
        "不锈钢 炻器 帆布 棉布 橡木 山毛榉 玻璃 皮革 亚麻 羊毛 铜制 竹制 陶瓷",
    ),
    "nouns": (
        "mug kettle notebook lamp clock backpack lantern flask bicycle casserole teapot pan knife"
        " board bowl plate spoon candle blanket pillow chair table shelf basket umbrella tent rope"
        " bottle headphones keyboard pencil ruler scissors stapler calendar mirror towel soap vase",
        "马克杯 水壶 笔记本 台灯 闹钟 背包 提灯 保温杯 自行车 炖锅 茶壶 平底锅 菜刀 砧板 汤碗 盘子"
        " 勺子 蜡烛 毯子 枕头 椅子 桌子 书架 篮子 雨伞 帐篷 绳子 水瓶 耳机 键盘 铅笔 直尺 剪刀"
        " 订书机 日历 镜子 毛巾 肥皂 花瓶",
    ),
}
"""In English and Chinese."""


def _any(kind: str, *, salt: int, chinese: bool = False) -> str:
    """Return SQL for one of the words, which row `i` decides."""
    words = WORDS[kind][chinese].split()
    listed = ",".join(f"'{word}'" for word in words)
    return f"(ARRAY[{listed}])[abs(hashint4(i * 16 + {salt})) % {len(words)} + 1]"


# A third is Chinese. Each name has a word of a series: there are 20,000 different ones.
FILL = f"""
INSERT INTO orders_category (name, slug, position)
SELECT CASE WHEN i % 2 = 0 THEN initcap({_any("nouns", salt=9)}) || ' and more ' || i
    ELSE {_any("nouns", salt=9, chinese=True)} || '系列' || i END, 'category-' || i, i
FROM generate_series(1, 60) AS i;
INSERT INTO orders_product (sku, slug, name, category_id, price, is_active, description, created_at)
SELECT 'S' || lpad(i::text, 6, '0'), 'product-' || i,
    CASE WHEN i % 3 = 0 THEN {_any("adjectives", salt=1, chinese=True)}
        || {_any("materials", salt=2, chinese=True)} || {_any("nouns", salt=3, chinese=True)} || i
    ELSE initcap({_any("adjectives", salt=1)}) || ' ' || {_any("materials", salt=2)}
        || ' ' || {_any("nouns", salt=3)} || ' '
        || initcap(translate(substr(md5((i % 20000)::text), 1, 7), '0123456789', 'aeioulrnst'))
    END,
    (SELECT min(id) FROM orders_category) + abs(hashint4(i)) % 60,
    5 + abs(hashint4(i + 7)) % 20000 / 100.0, i % 20 > 0,
    CASE WHEN i % 3 = 0 THEN '手工制作,每一件都独一无二。适合'
        || {_any("adjectives", salt=4, chinese=True)} || {_any("nouns", salt=5, chinese=True)}
        || ',可放入洗碗机,适合作为礼物。'
    ELSE 'Made by hand, so that no two are alike. Goes well with a '
        || {_any("materials", salt=4)} || ' ' || {_any("nouns", salt=5)}
        || '. It takes the dishwasher, lasts for years and makes a good present.' END,
    now() - make_interval(mins => i)
FROM generate_series(1, {PRODUCTS}) AS i;
INSERT INTO orders_stock (product_id, initial, available)
SELECT id, id % 4 * 10, id % 4 * 10 FROM orders_product;
INSERT INTO orders_productsales (product_id, units, amount)
SELECT id, abs(hashint8(id)) % 5000, 0 FROM orders_product;
"""

KINDS: dict[str, Sequence[str]] = {
    "a word": ("mugs", "candle", "steel", "headphones", "kettles", "Leather"),
    "two words": ("blue mug", "folding chair", "oak shelves", "linen towel", "copper kettle"),
    "a beginning": ("not", "kett", "cas", "umb", "sc", "keyb"),
    "a mistake": ("kettel", "notebok", "hedphones", "blue mgu", "umbrela", "staplr"),
    "Chinese": ("保温杯", "笔记本", "不锈钢水壶", "杯", "蓝色帆布背包", "洗碗机"),
    "a SKU": ("S0123", "S099999", "S05"),
    "a rest": ("dishwasher", "present", "blue dishwasher", "mug for years"),
}
"""Searches by what the shopper types."""

LISTS = {
    "by name": Filters(),
    "cheapest": Filters(sort=Sort.PRICE),
    "newest": Filters(sort=Sort.NEWEST),
    "best-selling": Filters(sort=Sort.BEST),
    "in stock, by price": Filters(sort=Sort.PRICE, least=Decimal(20), in_stock=True),
}


def bench_search() -> Report:
    """Search, sort and suggest; ILIKE and our search take turns, in one run."""
    with scratch_database(pool_size=2):
        fill()
        rows = [_measured(f"search: {kind}", _searches(texts)) for kind, texts in KINDS.items()]
        typed = {kind: [t for text in texts for t in _typed(text)] for kind, texts in KINDS.items()}
        rows += [
            _measured(
                "suggestions while typing",
                [
                    (suggest, None, text)
                    for kind in ("two words", "Chinese")
                    for text in typed[kind]
                ],
            )
        ]
        category = Category.objects.order_by("pk")[7]
        lists = LISTS | {"a category, best-selling": Filters(sort=Sort.BEST, category=category)}
        rows += [
            _measured(f"list: {name}", _first_pages(filters)) for name, filters in lists.items()
        ]
    return _judge(rows)


def fill() -> None:
    """Fill the scratch database; the indexes of words are quicker built afterwards."""
    words = [index for index in Product._meta.indexes if isinstance(index, GinIndex)]
    with connection.schema_editor() as editor:
        for index in words:
            editor.remove_index(Product, index)
    with connection.cursor() as cursor:
        cursor.execute(FILL)
    with connection.schema_editor() as editor:
        for index in words:
            editor.add_index(Product, index)
    note_popularity()
    count_words()
    with connection.cursor() as cursor:
        for index in words:  # as the migration search_statistics does
            cursor.execute(f"ALTER INDEX {index.name} ALTER COLUMN 1 SET STATISTICS 0")
        cursor.execute("VACUUM ANALYZE")


Call = tuple[Callable[[Any], object], Callable[[Any], object] | None, Any]
"""What is measured, what it is compared with, if anything, and what both are called with."""


def _searches(texts: Sequence[str]) -> list[Call]:
    return [(_found, _ilike_found, text) for text in texts]


def _found(text: str) -> object:
    return read_listing(Filters(search=text), size=PAGE)


def _ilike_found(search: str) -> object:
    """Count and list as the shop did before: each word somewhere in the texts, by name."""
    found = Q()
    for word in search.split():
        found &= (
            Q(name__icontains=word)
            | Q(description__icontains=word)
            | Q(category__name__icontains=word)
            | Q(sku__iexact=word)
        )
    products = products_on_sale().filter(found)
    return products.count(), list(products.order_by("name", "pk")[:PAGE])


def _first_pages(filters: Filters) -> list[Call]:
    """Return the calls for the first page and for the second, which is another query."""
    second = read_listing(filters, size=PAGE).next
    return [
        (lambda cursor: read_listing(filters, size=PAGE, cursor=cursor), None, cursor)
        for cursor in ("", second)
    ]


def _typed(text: str) -> Iterator[str]:
    """Yield what stands in the field while the text is typed."""
    shortest = 2 if text.isascii() else 1
    yield from (text[:length] for length in range(shortest, len(text) + 1))


def _measured(what: str, calls: Sequence[Call]) -> dict[str, Any]:
    """Return the row of these calls: by the clock, and the CPU of PostgreSQL and Python."""
    taken: dict[str, list[float]] = {}
    for call, _control, argument in calls:  # warm up
        call(argument)
    for _round in range(ROUNDS):
        for call, control, argument in calls:
            _note(taken, "", call, argument)
            if control:
                _note(taken, "ilike_", control, argument)
    row: dict[str, Any] = {"what": what}
    for name, times in taken.items():
        times.sort()
        row[f"p50_{name}"] = round(times[len(times) // 2], 1)
        row[f"p95_{name}"] = round(times[min(len(times) - 1, int(len(times) * 0.95))], 1)
    return row


def _note(
    taken: dict[str, list[float]], kind: str, call: Callable[[Any], object], argument: Any
) -> None:
    with measured() as meter:
        started = time.perf_counter()
        call(argument)
        by_clock = 1000 * (time.perf_counter() - started)
    taken.setdefault(f"{kind}ms", []).append(by_clock)
    if meter.sql_ms is not None:
        taken.setdefault(f"{kind}cpu_ms", []).append(meter.sql_ms + meter.python_ms)


def _judge(rows: list[dict[str, Any]]) -> Report:
    """Return the report: each p95 against its target, and against that of ILIKE."""
    compared = [row for row in rows if "p95_ilike_ms" in row]
    ratios = {
        f"to ILIKE, {row['what'].removeprefix('search: ')}": round(
            row["p95_ms"] / row["p95_ilike_ms"], 3
        )
        for row in compared
    }
    missed = [
        f"{row['what']}: {row['p95_ms']} ms, not {TARGET_P95_MS:g}"
        for row in rows
        if row["p95_ms"] > TARGET_P95_MS
    ]
    targets = {row["what"]: {"p95_ms": TARGET_P95_MS} for row in rows}
    return Report(rows=rows, ratios=ratios, missed=missed, targets=targets)
