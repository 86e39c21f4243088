"""Which products a search finds, and how well each fits.

Everything is found by indexes, also how well it fits: sets of ids. The words of no row are
computed, which would take half a millisecond each.

A variant's words find its parent. A translation's words are found like the shop's own; all words of
a search must be in one of the two.
"""

import re
from collections.abc import Iterable, Sequence

from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce, Upper
from django.db.models.lookups import StartsWith

from orders.catalogue.search.words import HasWords, Word
from orders.models import Product
from orders.models.product import LISTED, ON_SALE, TRANSLATED
from orders.models.words import ProductWords, ShopWords, TranslatedNames, TranslatedWords

_LIKE_A_SKU = re.compile(r"[\w./-]*[\d_./-][\w./-]*")
"""A text without spaces that has a digit or a separator."""

# How well a product fits.
SKU, NAME, BEGINNINGS, CATEGORY, ANYWHERE = 4, 3, 2, 1, 0

SEARCHED = ON_SALE
"""What is searched: variants and parents, too."""
_LISTED_ID = Coalesce("variant_of", "pk")
"""The id of the product that lists show: a variant's parent."""

Ids = QuerySet[Product, int]


def found_by(words: Sequence[Word], text: str, *, among: QuerySet[Product]) -> QuerySet[Product]:
    """Return the listed products of which each word begins a word, or one of their category.

    A product whose SKU is the text, or begins with it, is found as well. `words` has at least one.
    """
    return Product.objects.filter(LISTED, pk__in=_ids(_ways(words, text), among=among))


def near_by(words: Sequence[Word]) -> QuerySet[Product]:
    """Return products on sale with one of the words: what to show if nothing has them all."""
    if not words:
        return Product.objects.none()
    alternatives = " | ".join(f"({word.beginning})" for word in words)
    categories = {category for word in words for category in word.categories}
    conditions = [
        Q(HasWords(ProductWords(), alternatives)),
        TRANSLATED & Q(HasWords(TranslatedWords(), alternatives)),
        Q(category__in=categories),
    ]
    ids = _ids(conditions, among=Product.objects.filter(SEARCHED))
    return Product.objects.filter(LISTED, pk__in=ids)


def fitting(words: Sequence[Word], text: str, *, among: QuerySet[Product]) -> dict[int, Ids]:
    """Return the ids of the products that fit so well at least, by score, the best first.

    4: the SKU was typed · 3: each word is in the name · 2: each begins a word of the name ·
    1: each begins one of the name or category · 0: all that are found.
    """
    entire = " & ".join(f"({word.entire})" for word in words)
    names = [_in_each(words, texts) for texts in (ShopWords("name"), TranslatedNames())]
    steps = {
        SKU: _in_sku(text),
        NAME: [
            Q(HasWords(ShopWords("name"), entire)),
            TRANSLATED & Q(HasWords(TranslatedNames(), entire)),
        ],
        BEGINNINGS: [beginnings for beginnings, *_others in names],
        CATEGORY: [way for _beginnings, *with_category in names for way in with_category],
        ANYWHERE: _ways(words, text),
    }
    return {score: _ids(ways, among=among) for score, ways in steps.items() if ways}


def _ways(words: Sequence[Word], text: str) -> list[Q]:
    return [
        *_in_sku(text),
        *_in_each(words, ProductWords()),
        *_in_each(words, TranslatedWords()),
    ]


def _in_each(words: Sequence[Word], texts: ShopWords) -> list[Q]:
    """Return the ways in which each word can begin a word of the texts, or of the category.

    The first one is without the category. Each way is one condition on words at most, beside
    categories: so an index answers it. Of conditions joined by OR or nested, PostgreSQL may
    compute the words of thousands of rows.
    """
    rows = TRANSLATED if isinstance(texts, TranslatedWords) else Q()  # those of its index
    rests: dict[tuple[Word, ...], list[int]] = {}
    for category in {category for word in words for category in word.categories}:
        rest = tuple(word for word in words if category not in word.categories)
        rests.setdefault(rest, []).append(category)
    ways = [rows & Q(HasWords(texts, _all(words)))]
    for rest, categories in rests.items():
        way = rows & Q(category__in=categories)
        ways.append(way & Q(HasWords(texts, _all(rest))) if rest else way)
    return ways


def _in_sku(text: str) -> list[Q]:
    """Return the condition that the SKU is the text or begins with it, if it may be a SKU."""
    return [Q(StartsWith(Upper("sku"), text.upper()))] if _LIKE_A_SKU.fullmatch(text) else []


def _all(words: Iterable[Word]) -> str:
    return " & ".join(f"({word.beginning})" for word in words)


def _ids(ways: Sequence[Q], *, among: QuerySet[Product]) -> Ids:
    """Return the ids of the listed products that meet one of the conditions, each id once.

    A variant counts as its parent, while that is on sale.
    """
    found = among.filter(Q(variant_of=None) | Q(variant_of__is_active=True)).order_by()
    first, *others = (found.filter(way).values_list(_LISTED_ID, flat=True) for way in ways)
    return first.union(*others) if others else first.distinct()
