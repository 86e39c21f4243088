"""What search engines read of a page: its one address, those of its other languages, its product.

A page that gives no `Seo` to its template says `noindex` (`shop/base.html`): cart, checkout,
account, orders, errors, and whatever is added later.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import get_language

from orders.models import Product
from orders.shop.languages import address_in

DESCRIPTION_LENGTH = 155
_HTML = {ord("<"): "\\u003C", ord(">"): "\\u003E", ord("&"): "\\u0026"}
"""What could end a script element, as JSON escapes it."""


@dataclass(frozen=True)
class Seo:
    canonical: str
    """The page's address, without sort, filters and cursor."""
    languages: list[tuple[str, str]]
    """hreflang and address."""
    description: str = ""
    data: str = ""
    """JSON-LD of schema.org, safe inside a script element."""


def seo_of(path: str, *, description: str = "", data: Any = None, **query: str) -> Seo:
    """Return the tags of an indexed page. `query`: the parameters that make it another page."""
    language = get_language() or settings.LANGUAGE_CODE
    languages = [(code, address_in(code, path, **query)) for code, _name in settings.LANGUAGES]
    return Seo(
        canonical=address_in(language, path, **query),
        languages=[*languages, ("x-default", address_in(settings.LANGUAGE_CODE, path, **query))],
        description=Truncator(" ".join(description.split())).chars(DESCRIPTION_LENGTH),
        data=_as_json(data) if data else "",
    )


def product_data(product: Product, *, available: int, pictures: Iterable[str]) -> dict[str, Any]:
    """Return the product as schema.org has it, with the page's price and availability.

    `pictures`: the addresses of its pictures, absolute or of this site.
    """
    address = address_in(get_language() or settings.LANGUAGE_CODE, product.get_absolute_url())
    data: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "Product",
        "name": product.shown_name,
        "sku": product.sku,
        "description": product.text("description"),
        "category": product.category.text("name"),
        "url": address,
        "image": [_absolute(picture) for picture in pictures],
        "offers": {
            "@type": "Offer",
            "url": address,
            "price": str(product.price),
            "priceCurrency": settings.SHOP_CURRENCY,
            "availability": f"https://schema.org/{'InStock' if available else 'OutOfStock'}",
            "itemCondition": "https://schema.org/NewCondition",
            "seller": {"@type": "Organization", "name": settings.SHOP_NAME},
        },
    }
    return {name: value for name, value in data.items() if value}


def group_data(
    parent: Product, variants: Iterable[Any], *, pictures: Callable[[Product], Iterable[str]]
) -> dict[str, Any]:
    """Return a parent with its variants on sale as schema.org has them: a ProductGroup."""
    address = address_in(get_language() or settings.LANGUAGE_CODE, parent.get_absolute_url())
    data: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "ProductGroup",
        "name": parent.shown_name,
        "productGroupID": parent.sku,
        "description": parent.text("description"),
        "category": parent.category.text("name"),
        "url": address,
        "image": [_absolute(picture) for picture in pictures(parent)],
        "variesBy": list(parent.text("options")),
        "hasVariant": [_variant_data(each, parent, pictures(each)) for each in variants],
    }
    return {name: value for name, value in data.items() if value}


def _variant_data(variant: Any, parent: Product, pictures: Iterable[str]) -> dict[str, Any]:
    data = product_data(variant, available=variant.available, pictures=pictures)
    language = get_language() or settings.LANGUAGE_CODE
    address = address_in(language, parent.get_absolute_url(), variant=variant.sku)
    data["url"] = data["offers"]["url"] = address
    pairs = zip(parent.text("options"), variant.text("options"), strict=False)
    data["additionalProperty"] = [
        {"@type": "PropertyValue", "name": name, "value": value} for name, value in pairs
    ]
    return {name: value for name, value in data.items() if name != "@context"}


def _absolute(address: str) -> str:
    return settings.SITE_URL + address if address.startswith("/") else address


def _as_json(data: Any) -> SafeString:
    return SafeString(json.dumps(data, ensure_ascii=False).translate(_HTML))
