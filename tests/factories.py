"""Products and order requests for the tests."""

import secrets
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.core.files.base import ContentFile
from django.db.models.functions import Now

from media_jobs.models import MediaJob
from orders.catalogue.variants import create_variant
from orders.models import (
    Category,
    Order,
    OrderEvent,
    OrderLine,
    Popularity,
    Product,
    ProductSales,
    Stock,
    Upload,
    Voucher,
)
from orders.placing.request import OrderRequest, RequestedLine
from orders.placing.upload_store import store_upload


def add_product(
    sku: str, *, stock: int = 100, price: str = "2.50", active: bool = True, **fields: Any
) -> Product:
    """Add a product with its stock."""
    category, _created = Category.objects.get_or_create(name="Things", slug="things")
    product = Product.objects.create(
        sku=sku,
        slug=sku.lower(),
        name=f"Thing {sku}",
        category=category,
        price=Decimal(price),
        is_active=active,
        **fields,
    )
    Stock.objects.create(product=product, initial=stock, available=stock)
    ProductSales.objects.create(product=product)
    Popularity.objects.create(product=product)
    return product


def add_shirt(*, options: tuple[str, ...] = ("Size", "Colour"), **fields: Any) -> Product:
    """Add a parent, SHIRT, that is sold as variants only; it has none yet."""
    return add_product("SHIRT", stock=0, options=list(options), **fields)


def add_variant(
    parent: Product, *options: str, stock: int = 10, price: str = "20.00", **fields: Any
) -> Product:
    """Add a variant of the parent: its SKU is the parent's with the options, SHIRT-M-RED."""
    return create_variant(
        parent_id=parent.pk,
        options=options,
        sku="-".join([parent.sku, *map(str.upper, options)]),
        price=Decimal(price),
        stock=stock,
        **fields,
    )


def add_voucher(**fields: Any) -> Voucher:
    """Add the code TEN, which takes off a tenth unless `fields` say otherwise."""
    return Voucher.objects.create(**{"code": "TEN", "kind": "percent", "value": 10, **fields})


def new_key() -> str:
    return secrets.token_urlsafe(24)


def uploaded_file(
    content: bytes = b"",
    *,
    name: str = "ada.png",
    address: str = "192.0.2.1",
    checked: bool = True,
) -> Upload:
    """Return the upload of a shopper's file, else of a small picture; found usable if `checked`."""
    file = ContentFile(content or b"\x89PNG\r\n\x1a\n" + bytes(300))
    upload = store_upload(file, name=name, address=address)
    if checked:
        end_check(upload)
    return upload


def end_check(upload: Upload, *, refusal: str = "") -> None:
    """Let the upload's check be done, with this reason against the file or none."""
    MediaJob.objects.filter(kind="check", source=f"upload:{upload.token}").update(
        status="done", finished_at=Now(), result={"refusal": refusal, "renditions": []}
    )


def order_request(*lines: tuple[Any, ...], **changes: Any) -> OrderRequest:
    """Return a request for (sku, quantity) lines, perhaps with an upload, with `changes` to its
    other fields.
    """
    fields: dict[str, Any] = {
        "source": Order.Source.API,
        "key": new_key(),
        "name": "Ada Lovelace",
        "email": "ada@example.org",
        "lines": tuple(
            RequestedLine(sku, quantity, *map(str, upload)) for sku, quantity, *upload in lines
        ),
    }
    return OrderRequest(**(fields | changes))


def make_order(*products: Product, **changes: Any) -> Order:
    """An order as the writers leave it, without its jobs."""
    products = products or (add_product("MUG", price="9.90"),)
    total = sum(product.price * 2 for product in products)
    order = Order.objects.create(
        id=changes.pop("id", None) or uuid4(),
        door="shop",
        name="Ada Lovelace",
        email="ada@example.org",
        language="en",
        currency="EUR",
        items_total=total,
        total=total,
        **changes,
    )
    OrderEvent.objects.create(order=order, kind="placed")
    for product in products:
        OrderLine.objects.create(
            order=order,
            product=product,
            sku=product.sku,
            name=product.name,
            quantity=2,
            unit_price=product.price,
            total=product.price * 2,
        )
    order.refresh_from_db()
    return order
