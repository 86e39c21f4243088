"""What the search offers while somebody types: categories and products, or another spelling."""

from dataclasses import dataclass, field

from orders.catalogue.browsing import categories_on_sale
from orders.catalogue.search.filters import Filters
from orders.catalogue.search.listing import Search, find, in_order, in_other_words, read_search
from orders.models import Category, Product

MOST_PRODUCTS = 6
MOST_CATEGORIES = 2


@dataclass(frozen=True)
class Suggestions:
    products: list[Product] = field(default_factory=list)
    categories: list[Category] = field(default_factory=list)
    corrected: str = ""
    """The search that they are of, if nothing has what was typed."""


def suggest(text: str) -> Suggestions:
    """Return what fits best to a cleaned text, of which the last word may be a beginning.

    A single letter begins too much: it suggests nothing. A single Chinese character does.
    """
    if len(text) < 2 and text.isascii():
        return Suggestions()
    search = read_search(text)
    ids = _best(search)
    if not ids and (other := in_other_words(search)) and (better := _best(other)):
        search, ids = other, better
    wanted = [set(word.categories) for word in search.words]
    named = categories_on_sale().filter(pk__in=set.intersection(*wanted) if wanted else ())
    return Suggestions(
        products=in_order(ids),
        categories=list(named[:MOST_CATEGORIES]),
        corrected=search.corrected,
    )


def _best(search: Search) -> list[int]:
    return find(search, Filters(search=search.text), size=MOST_PRODUCTS)[1].ids
