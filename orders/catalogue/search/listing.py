"""A page of the catalogue: the products that words and filters leave, in the asked order."""

from dataclasses import dataclass, field

from django.db.models import QuerySet

from orders.catalogue.browsing import products_on_sale
from orders.catalogue.search.filters import BY_NAME, Filters, Sort
from orders.catalogue.search.matching import SEARCHED, found_by, near_by
from orders.catalogue.search.pages import Cursor, KeyPage, read_counted_page, read_cursor, read_page
from orders.catalogue.search.ranking import best_matches
from orders.catalogue.search.spelling import FEW, commoner, corrected
from orders.catalogue.search.words import Word, read_words
from orders.models import Product
from orders.models.product import LISTED


@dataclass(frozen=True)
class Search:
    """The words that are searched, after correction."""

    text: str = ""
    words: list[Word] = field(default_factory=list)
    corrected: str = ""
    """The text that was searched instead of the typed one, which finds nothing."""

    def products(self, among: QuerySet[Product]) -> QuerySet[Product]:
        """Return the listed products that the search finds among these and their variants.

        All of the listed ones if nothing was typed.
        """
        if not self.text:
            return among.filter(LISTED)
        if not self.words:  # only punctuation
            return among.none()
        return found_by(self.words, self.text, among=among)


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
    first = (page - 1) * size if page else 0
    search = read_search(filters.search)
    count, key_page = find(search, filters, size=size, cursor=place, first=first)
    if not count and not (filters.are_narrow and finds_any(search)):
        other = in_other_words(search)
        if other is not None:
            found = find(other, filters, size=size, cursor=place, first=first)
            if found[0] or (filters.are_narrow and finds_any(other)):
                search, (count, key_page) = other, found
    few = 0 < count <= FEW and not search.corrected and not filters.are_narrow
    return Listing(
        products=in_order(key_page.ids, shown),
        count=count,
        search=search,
        previous=key_page.previous,
        next=key_page.next,
        did_you_mean=commoner(search.words) if few else "",
    )


def find(
    search: Search, filters: Filters, *, size: int, cursor: Cursor | None = None, first: int = 0
) -> tuple[int, KeyPage]:
    """Return how many products search and filters leave, and the page of them."""
    among = filters.apply(Product.objects.filter(SEARCHED))
    if filters.order == Sort.RELEVANCE and search.words:
        return best_matches(
            search.words, search.text, among=among, size=size, cursor=cursor, first=first
        )
    order = BY_NAME if filters.order == Sort.RELEVANCE else filters.order
    return read_counted_page(
        search.products(among), order=order, size=size, cursor=cursor, first=first
    )


def finds_any(search: Search) -> bool:
    """Return whether any product on sale has what was searched."""
    # Counted: to find only one, PostgreSQL would compute the words of product after product.
    return search.products(Product.objects.filter(SEARCHED)).count() > 0


def read_search(text: str) -> Search:
    """Return the search of a cleaned text, as it was typed."""
    return Search(text, read_words(text) if text else [])


def in_other_words(search: Search) -> Search | None:
    """Return the search with its typing mistakes corrected, if they can be. It may find nothing."""
    better = corrected(search.words)
    return Search(better, read_words(better), corrected=better) if better else None


def near_products(search: Search, *, size: int) -> list[Product]:
    """Return products with some of the words, those that sell best first: a way on from nothing."""
    near = near_by(search.words)
    return in_order(
        list(near.order_by("-popularity__units", "-pk").values_list("pk", flat=True)[:size])
    )


def best_sellers(*, size: int) -> list[Product]:
    """Return what sells best and is in stock."""
    in_stock = Filters(in_stock=True).apply(Product.objects.filter(LISTED))
    return in_order(read_page(in_stock, order=Sort.BEST, size=size).ids)


def in_order(ids: list[int], shown: QuerySet[Product] | None = None) -> list[Product]:
    """Return these products with what pages show of them, in the order of the ids."""
    shown = products_on_sale() if shown is None else shown
    products = {product.pk: product for product in shown.filter(pk__in=ids)}
    return [products[pk] for pk in ids if pk in products]
