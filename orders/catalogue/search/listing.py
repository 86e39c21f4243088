"""A page of the catalogue: the products that words and filters leave, in the asked order."""

from dataclasses import dataclass, field, replace

from django.db.models import QuerySet

from orders.catalogue.browsing import products_on_sale
from orders.catalogue.search.filters import Filters, Sort, ordering
from orders.catalogue.search.matching import found_by, near_by, with_score
from orders.catalogue.search.pages import KeyPage, read_cursor, read_page
from orders.catalogue.search.spelling import FEW, commoner, corrected
from orders.catalogue.search.words import Word, read_words
from orders.models import Product
from orders.models.product import ON_SALE


@dataclass(frozen=True)
class Search:
    """The words that are searched, after correction."""

    text: str = ""
    words: list[Word] = field(default_factory=list)
    corrected: str = ""
    """The text that was searched instead of the typed one, which finds nothing."""

    def products(self) -> QuerySet[Product]:
        """Return the products on sale that the search finds; all of them if nothing was typed."""
        return found_by(self.words, self.text) if self.text else Product.objects.filter(ON_SALE)


@dataclass(frozen=True)
class Listing:
    """A page of the list, and what else there is to say about it."""

    products: list[Product]
    count: int
    search: Search
    previous: str = ""
    next: str = ""
    """The cursors of the pages beside it; empty if there are none."""
    did_you_mean: str = ""
    """A search that finds many more, if this one finds few."""


def read_listing(
    filters: Filters,
    *,
    size: int,
    cursor: str = "",
    page: int | None = None,
    shown: QuerySet[Product] | None = None,
) -> Listing:
    """Return the page that the cursor or the page's number says.

    `shown` is what is read of the page's products; by default what the shop's pages show.
    Raises InvalidCursorError.
    """
    place = read_cursor(cursor, order=filters.order)
    search = read_search(filters.search)
    products = filters.apply(search.products())
    count = products.count()
    if not count and not (filters.are_narrow and search.products().count()):
        search = in_other_words(search) or search
        products = filters.apply(search.products())
        count = products.count() if search.corrected else 0
    if filters.order == Sort.RELEVANCE and search.words:
        products = with_score(products, search.words, search.text)
    elif filters.order == Sort.RELEVANCE:
        filters = replace(filters, search="")  # only punctuation: nothing is found in any order
    if page is not None:
        first = (page - 1) * size
        found = products.order_by(*ordering(filters.order)).values_list("pk", flat=True)
        key_page = KeyPage(list(found[first : first + size]) if first < count else [])
    else:
        key_page = read_page(products, order=filters.order, cursor=place, size=size)
    few = 0 < count <= FEW and not search.corrected and not filters.are_narrow
    return Listing(
        products=in_order(key_page.ids, shown),
        count=count,
        search=search,
        previous=key_page.previous,
        next=key_page.next,
        did_you_mean=commoner(search.words) if few else "",
    )


def read_search(text: str) -> Search:
    """Return the search of a cleaned text, as it was typed."""
    return Search(text, read_words(text) if text else [])


def in_other_words(search: Search) -> Search | None:
    """Return the search with its typing mistakes corrected; None if it still finds nothing."""
    better = corrected(search.words)
    if not better:
        return None
    other = Search(better, read_words(better), corrected=better)
    return other if other.products().count() else None


def near_products(search: Search, *, size: int) -> list[Product]:
    """Return products with some of the words, those that sell best first: a way on from nothing."""
    near = near_by(search.words)
    return in_order(
        list(near.order_by("-popularity__units", "-pk").values_list("pk", flat=True)[:size])
    )


def best_sellers(*, size: int) -> list[Product]:
    """Return what sells best and is in stock."""
    in_stock = Filters(in_stock=True).apply(Product.objects.filter(ON_SALE))
    return in_order(read_page(in_stock, order=Sort.BEST, cursor=None, size=size).ids)


def in_order(ids: list[int], shown: QuerySet[Product] | None = None) -> list[Product]:
    """Return these products with what pages show of them, in the order of the ids."""
    shown = products_on_sale() if shown is None else shown
    products = {product.pk: product for product in shown.filter(pk__in=ids)}
    return [products[pk] for pk in ids if pk in products]
