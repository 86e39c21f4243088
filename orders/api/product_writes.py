"""The catalogue for API clients: `GET catalogue`, and `POST products` with a result per item."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from ninja import Query

from orders.api.client_access import ClientKey, access_of
from orders.api.pages import cursor_of, read_rows, refuse_unknown
from orders.api.problems import Problem, invalid_problem
from orders.api.products import router
from orders.api.schemas.problems import FieldErrorOut, InvalidOut, ProblemOut
from orders.api.schemas.product_writes import (
    CatalogueFilters,
    CatalogueItemOut,
    CataloguePage,
    ProductIn,
    ProductResultOut,
    ProductResults,
    ProductsIn,
)
from orders.clients.scopes import PRODUCTS_READ, PRODUCTS_WRITE
from orders.imports.report import Outcome, RowReport
from orders.imports.rows_of_programs import CatalogueBusyError, write_rows
from orders.models import Product, User
from orders.models.translated import other_languages
from project.desk.audit_log import LONGEST, record_action

COLUMNS = {
    "is_active": "on sale",
    "tax_class": "tax class",
    "variant_of": "variant of",
}
"""Fields that an import calls otherwise."""
_FIELDS = {column: name for name, column in COLUMNS.items()}
DID = gettext_lazy("Written by an API client")
BUSY_SECONDS = 5


@router.get(
    "/catalogue",
    response={200: CataloguePage, 422: InvalidOut},
    auth=ClientKey(PRODUCTS_READ),
    summary="List all products",
)
def list_catalogue(request: HttpRequest, filters: Query[CatalogueFilters]) -> CataloguePage:
    """Every product and variant with what the shop knows of it, also those that aren't on sale."""
    refuse_unknown(request, filters)
    products = Product.objects.select_related("category", "tax_class", "variant_of", "stock")
    if filters.sku:
        products = products.filter(sku=filters.sku)
    if filters.is_active is not None:
        products = products.filter(is_active=filters.is_active)
    page = read_rows(products.order_by("id"), cursor=filters.cursor, size=filters.limit)
    return CataloguePage(items=[_item(row) for row in page.rows], next=cursor_of(page.next))


def _item(product: Product) -> CatalogueItemOut:
    return CatalogueItemOut(
        sku=product.sku,
        name=product.name,
        description=product.description,
        category=product.category.name,
        price=str(product.price),
        currency=settings.SHOP_CURRENCY,
        is_active=product.is_active,
        shelf=product.shelf,
        weight=product.weight,
        tax_class=product.tax_class.name if product.tax_class else None,
        variant_of=product.variant_of.sku if product.variant_of else None,
        options=product.options,
        position=product.position,
        available=product.stock.available,
        translations=product.texts,
        created_at=product.created_at,
    )


@router.post(
    "/products",
    response={
        200: ProductResults,
        (400, 413, 415, 500, 503): ProblemOut,
        422: InvalidOut,
    },
    auth=ClientKey(PRODUCTS_WRITE),
    summary="Create and change products",
    openapi_extra={
        "responses": {503: {"headers": {"Retry-After": {"schema": {"type": "string"}}}}}
    },
)
def write_products(request: HttpRequest, products: ProductsIn) -> ProductResults:
    """Up to a hundred products by their SKUs, each with a result: a wrong one stops no other.

    The rules are those of an import at the desk. A repeat changes nothing more. Items of a wrong
    shape (a number for a text, an unknown field) refuse the whole request: 422.
    """
    access = access_of(request)
    assert access is not None  # ClientKey
    if errors := list(_wrong_languages(products)):
        raise invalid_problem(errors)
    try:
        reports = write_rows([_cells(item) for item in products.items])
    except CatalogueBusyError:
        detail = "An import writes the catalogue. Repeat the request in a moment."
        raise Problem(503, "busy", detail, retry_after=BUSY_SECONDS) from None
    _log(reports, access.client.user)
    return ProductResults(items=[_result(report) for report in reports])


def _wrong_languages(products: ProductsIn) -> Any:
    known = {code for code, _language in other_languages()}
    for number, item in enumerate(products.items):
        for code in sorted((item.translations or {}).keys() - known):
            field = f"items.{number}.translations.{code}"[:200]
            yield {"field": field, "message": _("The shop has no texts in this language.")}


def _cells(item: ProductIn) -> dict[str, str]:
    """Return the item as a row of an import. What is left out has no cell."""
    cells: dict[str, str] = {}
    for name, value in item:
        if value is None or name == "translations":
            continue
        column = COLUMNS.get(name, name)
        if name == "options":
            cells[column] = "|".join(value)
        else:
            cells[column] = ("yes" if value else "no") if isinstance(value, bool) else str(value)
    for code, texts in (item.translations or {}).items():
        cells |= {f"{name} {code}": text for name, text in texts if text is not None}
    return cells


def _result(report: RowReport) -> ProductResultOut:
    return ProductResultOut(
        sku=report.sku,
        outcome=report.outcome.value,
        detail=report.detail,
        errors=_errors(report) if report.outcome == Outcome.REFUSED else [],
    )


def _errors(report: RowReport) -> list[FieldErrorOut]:
    """Return the faults by the request's fields: an import names its columns before a colon."""
    errors = []
    for fault in report.faults or (report.detail,):
        columns, colon, message = fault.partition(": ")
        names = [_FIELDS.get(column, column) for column in columns.split(", ")]
        if colon and all(name in ProductIn.model_fields for name in names):
            errors += [FieldErrorOut(field=name, message=message) for name in names]
        else:
            errors.append(FieldErrorOut(field="", message=fault))
    return errors


def _log(reports: list[RowReport], user: User) -> None:
    """Write into each changed product's history that the client did it."""
    done = {
        report.sku: report.detail
        for report in reports
        if report.outcome in (Outcome.CREATED, Outcome.CHANGED)
    }
    for product in Product.objects.filter(sku__in=done):
        reason = done[product.sku][:LONGEST]
        record_action(user_id=user.pk, label=DID, rows=[product], reason=reason)
