"""Finding products by what people type."""

from django.db.models import Q

from orders.models import Product

MOST_PRODUCTS = 100
"""Products whose movements one search shows."""


def products_named(text: str) -> list[int]:
    """Return the ids of the product with this SKU, else of those with each word in their names."""
    exact = list(Product.objects.filter(sku__iexact=text).values_list("pk", flat=True))
    if exact:
        return exact
    named = Product.objects.all()
    for word in text.split():
        named = named.filter(Q(sku__icontains=word) | Q(name__icontains=word))
    return list(named.values_list("pk", flat=True)[:MOST_PRODUCTS])
