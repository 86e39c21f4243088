"""From rows to products: a row's changes are planned first, then written.

A dry run only plans. Import and dry run share the plan, so their reports agree.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import DataError, IntegrityError, transaction
from django.utils.text import Truncator, slugify
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orders.catalogue.products import add_media, create_product
from orders.imports.errors import RowRefusedError
from orders.imports.pictures import Picture
from orders.imports.report import Outcome, Report, RowReport
from orders.imports.rows import Row
from orders.models import Category, Product, ProductMedia, TaxClass

SHOWN = 40
"""The number of characters of a value that the report shows."""


@dataclass
class Plan:
    """The changes of one product by one row."""

    row: Row
    product: Product | None
    """None for a new product."""
    values: dict[str, Any] = field(default_factory=dict)
    """Field → new value, without the category."""
    category: str = ""
    """The name of the new category; empty: unchanged."""
    added: list[tuple[Picture, str]] = field(default_factory=list)
    alts: list[tuple[ProductMedia, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def outcome(self) -> Outcome:
        if self.product is None:
            return Outcome.CREATED
        if self.values or self.category or self.added or self.alts:
            return Outcome.CHANGED
        return Outcome.UNCHANGED


class CatalogueImport:
    """Imports batches of rows and reports on each row. With `dry_run` it only reads."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._categories = {
            category.name.casefold(): category for category in Category.objects.all()
        }
        self._tax_classes = {each.name.casefold(): each for each in TaxClass.objects.all()}
        self._announced: set[str] = set()
        """The categories that a dry run would create."""

    def import_rows(self, rows: Sequence[tuple[Row, list[tuple[Picture, str]]]]) -> None:
        """Write the rows, each with its pictures and their alt texts, to the catalogue.

        One transaction with a savepoint per row: a row that the database refuses is rolled back
        alone.
        """
        known = {
            product.sku: product
            for product in Product.objects.filter(sku__in=[row.sku for row, _pictures in rows])
            .select_related("category", "tax_class", "stock")
            .prefetch_related("media__asset", "media__replacement")
        }
        with transaction.atomic():
            for row, pictures in rows:
                self._report.rows.append(self._import_row(row, known.get(row.sku), pictures))

    def _import_row(
        self, row: Row, product: Product | None, pictures: list[tuple[Picture, str]]
    ) -> RowReport:
        try:
            plan = _planned(row, product, pictures)
            self._plan_tax_class(plan)
            category = self._categories.get(plan.category.casefold())
            is_new = bool(plan.category) and category is None
            if not self._report.dry_run and plan.outcome != Outcome.UNCHANGED:
                with transaction.atomic():
                    if is_new:
                        category = _new_category(plan.category)
                    write_plan(plan, category)
        except RowRefusedError as error:
            return RowReport(row.number, row.sku, Outcome.REFUSED, str(error))
        except (IntegrityError, DataError) as error:
            text = _("the database refused it (%(error)s); import the table again")
            reason = text % {"error": str(error).partition("\n")[0]}
            return RowReport(row.number, row.sku, Outcome.REFUSED, reason)
        if is_new and plan.category.casefold() not in self._announced:
            self._announced.add(plan.category.casefold())
            self._report.categories += 1
            plan.notes.append(_("new category “%(name)s”") % {"name": plan.category})
        if category is not None:
            self._categories[plan.category.casefold()] = category
        self._report.pictures += len(plan.added)
        return RowReport(row.number, row.sku, plan.outcome, "; ".join(plan.notes))

    def _plan_tax_class(self, plan: Plan) -> None:
        """Plan a new tax class. Raises RowRefusedError if the shop has none of this name."""
        if plan.row.tax_class is None:
            return
        wanted = self._tax_classes.get(plan.row.tax_class.casefold())
        if wanted is None:
            text = _("tax class: there is none named %(name)s; create it first, under Tax classes")
            raise RowRefusedError(text % {"name": _shown(plan.row.tax_class)})
        now = plan.product.tax_class if plan.product else None
        if wanted != now:
            plan.values["tax_class"] = wanted
            if plan.product:
                old = _shown(now.name if now else "")
                plan.notes.append(f"tax class: {old} → {_shown(wanted.name)}")


def _planned(row: Row, product: Product | None, pictures: list[tuple[Picture, str]]) -> Plan:
    """Return the row's changes. Raises RowRefusedError."""
    plan = Plan(row, product)
    if product is None:
        missing = [
            column
            for column, value in (
                ("name", row.name), ("category", row.category), ("price", row.price),
            )
            if value is None
        ]  # fmt: skip
        if missing:
            text = _("%(columns)s: a new product needs it")
            raise RowRefusedError(text % {"columns": ", ".join(missing)})
        plan.category = row.category or ""
    else:
        _compare(plan, product)
    _compare_pictures(plan, pictures)
    return plan


def _compare(plan: Plan, product: Product) -> None:
    row = plan.row
    for column, name, value in (
        ("name", "name", row.name),
        ("description", "description", row.description),
        ("price", "price", row.price),
        ("shelf", "shelf", row.shelf),
        ("weight", "weight", row.weight),
        ("on sale", "is_active", row.on_sale),
    ):
        now = getattr(product, name)
        if value is None or value == now:
            continue
        plan.values[name] = value
        plan.notes.append(f"{column}: {_shown(now)} → {_shown(value)}")
    if row.category and row.category.casefold() != product.category.name.casefold():
        plan.category = row.category
        plan.notes.append(f"category: {_shown(product.category.name)} → {_shown(row.category)}")
    # Units sold since the first import are no difference: the table has the initial stock.
    if row.stock is not None and row.stock not in (product.stock.available, product.stock.initial):
        text = _(
            "stock stays %(available)d, not %(stock)d: correct it on the product's page, with"
            " a reason"
        )
        plan.notes.append(text % {"available": product.stock.available, "stock": row.stock})


def _compare_pictures(plan: Plan, pictures: Iterable[tuple[Picture, str]]) -> None:
    """Plan added pictures and changed alt texts; an import never removes a picture."""
    shown: dict[str, ProductMedia] = {}
    for medium in plan.product.media.all() if plan.product else ():
        for asset in filter(None, (medium.asset, medium.replacement)):
            shown.setdefault(asset.sha256, medium)
    seen: set[str] = set()
    for picture, alt in pictures:
        if picture.sha256 in seen:
            continue  # same content under another name: the first one's text is used
        seen.add(picture.sha256)
        known = shown.get(picture.sha256)
        if known is None:
            plan.added.append((picture, alt))
        elif alt and alt != known.alt:
            plan.alts.append((known, alt))
    if count := len(plan.added):
        plan.notes.append(
            ngettext("%(count)d new picture", "%(count)d new pictures", count) % {"count": count}
        )
    plan.notes += [f"alt: {_shown(medium.alt)} → {_shown(alt)}" for medium, alt in plan.alts]


def write_plan(plan: Plan, category: Category | None) -> None:
    row, product = plan.row, plan.product
    if product is None:
        assert row.name is not None  # _planned has refused a row without it
        assert row.price is not None
        assert category is not None
        product = create_product(
            sku=row.sku,
            name=row.name,
            slug=free_slug(Product, slugify(row.name), slugify(row.sku)),
            category=category,
            price=row.price,
            description=row.description or "",
            is_active=row.on_sale is not False,
            stock=row.stock or 0,
            shelf=row.shelf or "",
            weight=row.weight,
            tax_class=plan.values.get("tax_class"),
        )
    else:
        values = plan.values | ({"category": category} if category else {})
        if values:
            Product.objects.filter(pk=product.pk).update(**values)
    for picture, alt in plan.added:
        assert picture.asset is not None  # a dry run doesn't write
        add_media(product=product, asset=picture.asset, alt=alt)
    for medium, alt in plan.alts:
        ProductMedia.objects.filter(pk=medium.pk).update(alt=alt)


def _new_category(name: str) -> Category:
    return Category.objects.create(
        name=name, slug=free_slug(Category, slugify(name), "category")[:100]
    )


def free_slug(model: type[Product] | type[Category], name: str, fallback: str) -> str:
    """Return a free slug: of the name, else of name and fallback, else with a number.

    A name in another script has no slug of its own; then the slug is the fallback.
    """
    stem, fallback = name[:80], fallback[:80] or "product"
    candidates = [stem, f"{stem}-{fallback}".strip("-")] if stem else [fallback]
    taken = set(model.objects.filter(slug__startswith=candidates[0]).values_list("slug", flat=True))
    candidates += [f"{candidates[-1]}-{number}" for number in range(2, len(taken) + 3)]
    return next(candidate for candidate in candidates if candidate not in taken)


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = Truncator(" ".join(str(value).split())).chars(SHOWN)
    return f"“{text}”" if isinstance(value, str) else text
