"""Which products a search finds, and how well each fits.

Everything is found by indexes, also how well it fits: sets of ids. The words of no row are
computed, which would take half a millisecond each.
"""

import re
from collections.abc import Iterable, Sequence

from django.db.models import Case, F, IntegerField, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce, Upper
from django.db.models.lookups import StartsWith

from orders.catalogue.search.words import HasWords, Word
from orders.models import Product
from orders.models.product import ON_SALE
from orders.models.words import ProductWords, ShopWords

_LIKE_A_SKU = re.compile(r"[\w./-]*[\d_./-][\w./-]*")
"""A text without spaces that has a digit or a separator."""

# How well a product fits.
SKU, NAME, BEGINNINGS, CATEGORY, ANYWHERE = 4, 3, 2, 1, 0


def found_by(words: Sequence[Word], text: str) -> QuerySet[Product]:
    """Return the products on sale of which each word begins a word, or one of their category.

    A product whose SKU is the text, or begins with it, is found as well.
    """
    if not words:
        return Product.objects.none()
    return _in_any([*_in_sku(text), *_in_each(words, ProductWords())])


def near_by(words: Sequence[Word]) -> QuerySet[Product]:
    """Return products on sale with one of the words: what to show if nothing has them all."""
    if not words:
        return Product.objects.none()
    alternatives = " | ".join(f"({word.beginning})" for word in words)
    categories = {category for word in words for category in word.categories}
    return _in_any([Q(HasWords(ProductWords(), alternatives)), Q(category__in=categories)])


def with_score(products: QuerySet[Product], words: Sequence[Word], text: str) -> QuerySet[Product]:
    """Annotate the `score` of each product, 4 to 0, and its `sold` units.

    4: its SKU was typed · 3: each word is in its name · 2: each begins a word of its name ·
    1: each begins one of its name or category · 0: anywhere else. Among equals the one that sells
    better comes first.
    """
    name = ShopWords("name")
    entire = " & ".join(f"({word.entire})" for word in words)
    beginnings, *with_category = _in_each(words, name)
    steps = [
        *((SKU, condition) for condition in _in_sku(text)),
        (NAME, Q(HasWords(name, entire))),
        (BEGINNINGS, beginnings),
        *((CATEGORY, condition) for condition in with_category),
    ]
    return products.annotate(
        score=Case(
            *(When(pk__in=_ids(condition), then=Value(score)) for score, condition in steps),
            default=Value(ANYWHERE),
            output_field=IntegerField(),
        ),
        sold=Coalesce(F("popularity__units"), 0),
    )


def _in_each(words: Sequence[Word], texts: ShopWords) -> list[Q]:
    """Return the ways in which each word can begin a word of the texts, or of the category.

    The first one is without the category. Each way is one condition on words at most, beside
    categories: so an index answers it. Of conditions joined by OR or nested, PostgreSQL may
    compute the words of thousands of rows.
    """
    rests: dict[tuple[Word, ...], list[int]] = {}
    for category in {category for word in words for category in word.categories}:
        rest = tuple(word for word in words if category not in word.categories)
        rests.setdefault(rest, []).append(category)
    ways = [Q(HasWords(texts, _all(words)))]
    for rest, categories in rests.items():
        way = Q(category__in=categories)
        ways.append(way & Q(HasWords(texts, _all(rest))) if rest else way)
    return ways


def _in_sku(text: str) -> list[Q]:
    """Return the condition that the SKU is the text or begins with it, if it may be a SKU."""
    return [Q(StartsWith(Upper("sku"), text.upper()))] if _LIKE_A_SKU.fullmatch(text) else []


def _all(words: Iterable[Word]) -> str:
    return " & ".join(f"({word.beginning})" for word in words)


def _in_any(conditions: Sequence[Q]) -> QuerySet[Product]:
    """Return the products on sale that are in one of the sets."""
    if len(conditions) == 1:
        return Product.objects.filter(ON_SALE, *conditions)
    first, *others = map(_ids, conditions)
    return Product.objects.filter(ON_SALE, pk__in=first.union(*others, all=True))


def _ids(condition: Q) -> QuerySet[Product, int]:
    return Product.objects.filter(ON_SALE, condition).order_by().values_list("pk", flat=True)
