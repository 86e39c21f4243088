"""The catalogue for agents: search, look-up by identifiers, and one product with its choices.

A product's id is its SKU, and so is a variant's; a product without variants is its own variant.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urljoin

from django.conf import settings
from django.db.models import Q

from media_jobs.display import renditions_of
from orders.agents.envelope import info, major, minor, site, ucp, without_nothing
from orders.agents.errors import InvalidInput, Outcome, ProtocolError
from orders.agents.negotiation import Session
from orders.agents.options import Choice, choose, option_values
from orders.agents.schemas.catalog import FiltersIn, LookupIn, ProductIn, SearchIn
from orders.agents.schemas.fields import read
from orders.agents.versions import LOOKUP, SEARCH
from orders.catalogue.browsing import products_on_sale, variants_on_sale
from orders.catalogue.search.filters import Filters
from orders.catalogue.search.listing import read_listing
from orders.catalogue.search.pages import InvalidCursorError
from orders.models import Category

MOST_FOUND = 50
MOST_LOOKED_UP = 50
ANYTHING = "*"


def search(session: Session, payload: Any) -> dict[str, Any]:
    """Return a page of the products that words and filters leave."""
    session.need(SEARCH)
    sent = read(SearchIn, payload)
    if sent.query is None and sent.filters is None:
        raise InvalidInput("Send a query, or filters.", path="$.query")
    page = sent.pagination
    filters, messages = _filters(sent.filters)
    query = "" if (sent.query or "").strip() == ANYTHING else sent.query or ""
    try:
        listing = read_listing(
            Filters(search=query, category=filters.category, least=filters.least, most=filters.most)
            if filters
            else Filters(search=query),
            size=min(page.limit if page else 10, MOST_FOUND),
            cursor=(page.cursor if page else "") or sent.cursor,
        )
    except InvalidCursorError:
        raise InvalidInput("It is no cursor of this search.", path="$.pagination.cursor") from None
    if filters is None:  # the categories that were asked for don't exist
        listing.products.clear()
    return {
        "ucp": ucp(session.relevant(SEARCH)),
        "products": _products(listing.products) if filters else [],
        "pagination": {
            "has_next_page": bool(listing.next) and filters is not None,
            **({"cursor": listing.next} if listing.next and filters else {}),
            "total_count": listing.count if filters else 0,
        },
        **without_nothing({"messages": messages}),
    }


def lookup(session: Session, payload: Any) -> dict[str, Any]:
    """Return the products of these identifiers, each once; unknown ones are left out."""
    session.need(LOOKUP)
    sent = read(LookupIn, payload)
    wanted = list(dict.fromkeys(sent.ids))
    if len(wanted) > MOST_LOOKED_UP:
        raise ProtocolError(
            400, "request_too_large", f"Look up at most {MOST_LOOKED_UP} identifiers at a time."
        )
    filters, messages = _filters(sent.filters)
    found = {one.sku: one for one in products_on_sale().filter(sku__in=wanted)}
    parents = _parents(found.values())
    variants = variants_on_sale(one.pk for one in parents.values() if one.is_parent)
    shown: dict[int, dict[str, Any]] = {}
    for identifier in wanted:
        one = found.get(identifier)
        parent = parents.get(one.variant_of_id or one.pk) if one else None
        if one is None or parent is None or filters is None:
            continue
        kept = [each for each in variants.get(parent.pk, [parent]) if _fits(each, filters)]
        if not kept:
            continue
        exact = next((each for each in kept if each.pk == one.pk), None)
        chosen = exact or kept[0]
        product = shown.setdefault(parent.pk, _product(parent, variants.get(parent.pk, [])))
        product.setdefault("looked_up", {}).setdefault(chosen.sku, []).append(
            {"id": identifier, "match": "exact" if exact else "featured"}
        )
    answer = []
    for product in shown.values():
        inputs = product.pop("looked_up")
        product["variants"] = [
            {**each, "inputs": inputs[each["id"]]}
            for each in product["variants"]
            if each["id"] in inputs
        ]
        answer.append(product)
    return {
        "ucp": ucp(session.relevant(LOOKUP)),
        "products": answer,
        **without_nothing({"messages": messages + _unknown(wanted, found)}),
    }


def get_product(session: Session, payload: Any) -> dict[str, Any]:
    """Return one product with the variants that fit what is selected. Raises Outcome."""
    session.need(LOOKUP)
    sent = read(ProductIn, payload)
    one = products_on_sale().filter(sku=sent.id).first()
    parent = None if one is None else _parents([one]).get(one.variant_of_id or one.pk)
    if one is None or parent is None:
        raise Outcome("not_found", f"There is no product {sent.id!r}.")
    filters, messages = _filters(sent.filters)
    variants = variants_on_sale([parent.pk]).get(parent.pk, []) if parent.is_parent else [parent]
    choice = _choice(parent, one, variants, sent)
    fitting = [each for each in choice.variants if filters is not None and _fits(each, filters)]
    if not fitting:
        raise Outcome("not_found", f"No variant of {sent.id!r} fits the filters.")
    product = _product(parent, variants)
    product["variants"] = [_variant(parent, each) for each in fitting]
    if parent.is_parent:
        product["selected"] = choice.selected
        product["options"] = option_values(parent.options, variants, choice)
    return {
        "ucp": ucp(session.relevant(LOOKUP)),
        "product": product,
        **without_nothing({"messages": messages}),
    }


def _choice(parent: Any, one: Any, variants: Sequence[Any], sent: ProductIn) -> Choice:
    if not parent.is_parent:
        return Choice([parent], {})
    selected = {each.name: each.label for each in sent.selected}
    featured = one if one.variant_of_id else None
    return choose(parent.options, variants, selected, sent.preferences, featured=featured)


def _parents(found: Iterable[Any]) -> dict[int, Any]:
    """Return the listed products by key: those that were found, or their parents."""
    ids = {one.variant_of_id or one.pk for one in found}
    return {one.pk: one for one in products_on_sale().filter(pk__in=ids)} if ids else {}


def _unknown(wanted: Sequence[str], found: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        info("not_found", f"There is no product {each!r}.", path=f"$.ids[{position}]")
        for position, each in enumerate(wanted)
        if each not in found
    ]


def _filters(sent: FiltersIn | None) -> tuple[Filters | None, list[dict[str, Any]]]:
    """Return the catalogue's filters; None if no category that was asked for exists."""
    if sent is None:
        return Filters(), []
    category, messages = None, []
    if sent.categories:
        known = Category.objects.filter(Q(slug__in=sent.categories) | Q(name__in=sent.categories))
        category = known.first()
        if category is None:
            return None, []
        if len(known) > 1:
            text = f"Only {category.name} was searched: ask for one category at a time."
            messages = [info("filter_ignored", text, path="$.filters.categories")]
    price = sent.price
    return (
        Filters(
            category=category,
            least=None if price is None or price.min is None else major(price.min),
            most=None if price is None or price.max is None else major(price.max),
        ),
        messages,
    )


def _fits(product: Any, filters: Filters) -> bool:
    return (
        (filters.category is None or product.category_id == filters.category.pk)
        and (filters.least is None or product.price >= filters.least)
        and (filters.most is None or product.price <= filters.most)
    )


def _products(found: Sequence[Any]) -> list[dict[str, Any]]:
    variants = variants_on_sale(one.pk for one in found if one.is_parent)
    return [_product(one, variants.get(one.pk, [])) for one in found]


def _product(product: Any, variants: Sequence[Any]) -> dict[str, Any]:
    sold = list(variants) or [product]
    prices = [each.price for each in sold]
    return without_nothing(
        {
            "id": product.sku,
            "handle": product.slug,
            "title": product.shown_name,
            "description": {"plain": product.text("description") or product.shown_name},
            "url": site(product.get_absolute_url()),
            "categories": [{"value": product.category.name, "taxonomy": "merchant"}],
            "price_range": {"min": _price(min(prices)), "max": _price(max(prices))},
            "media": _media(product),
            "options": [
                {
                    "name": name,
                    "values": [
                        {"label": label}
                        for label in dict.fromkeys(each.options[place] for each in variants)
                    ],
                }
                for place, name in enumerate(product.options)
                if variants
            ],
            "variants": [_variant(product, each) for each in sold],
        }
    )


def _variant(parent: Any, variant: Any) -> dict[str, Any]:
    is_there = variant.available > 0
    return without_nothing(
        {
            "id": variant.sku,
            "sku": variant.sku,
            "title": variant.shown_name,
            "description": {"plain": variant.text("description") or variant.shown_name},
            "url": site(parent.get_absolute_url()),
            "price": _price(variant.price),
            "availability": {
                "available": is_there,
                "status": "in_stock" if is_there else "out_of_stock",
            },
            "options": [
                {"name": name, "label": label}
                for name, label in zip(parent.options, variant.options, strict=False)
            ],
            "media": _media(variant) if variant is not parent else [],
        }
    )


def _price(amount: Any) -> dict[str, Any]:
    return {"amount": minor(amount), "currency": settings.SHOP_CURRENCY}


def _media(product: Any) -> list[dict[str, Any]]:
    return [
        {"type": "image", "url": url, "alt_text": alt} if alt else {"type": "image", "url": url}
        for url, alt in pictures(product)
    ]


def pictures(product: Any) -> list[tuple[str, str]]:
    """Return address and alternative text of the product's pictures, the widest of each."""
    found = []
    for medium in product.shown_media:
        if medium.shown.is_video:
            continue
        if files := list(renditions_of(medium.shown)):
            widest = max(files, key=lambda file: (file.format in ("jpg", "jpeg"), file.width))
            found.append((urljoin(settings.SITE_URL, widest.url), medium.alt))
    return found
