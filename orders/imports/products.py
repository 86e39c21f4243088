"""From rows to products: a row's changes are planned first, then written.

A dry run only plans. Import and dry run share the plan, so their reports agree.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.db import DataError, IntegrityError, transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orders.catalogue.products import add_media, create_product
from orders.catalogue.variants import create_variant, keep_variants
from orders.imports.errors import RowRefusedError
from orders.imports.plan import Pictures, Plan, changed_texts, shown
from orders.imports.report import Outcome, Report, RowReport
from orders.imports.rows import Row
from orders.imports.variants import VariantPlans
from orders.models import Category, Product, ProductMedia, TaxClass


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
        self._variants = VariantPlans()

    def import_rows(self, rows: Sequence[tuple[Row, Pictures]]) -> None:
        """Write the rows, each with its pictures and their texts, to the catalogue.

        Parents come before their variants.

        One transaction with a savepoint per row: a row that the database refuses is rolled back
        alone.
        """
        known = {
            product.sku: product
            for product in Product.objects.filter(sku__in=[row.sku for row, _pictures in rows])
            .select_related("category", "tax_class", "stock", "variant_of")
            .prefetch_related("media__asset", "media__replacement")
        }
        with transaction.atomic():
            for row, pictures in rows:
                self._report.rows.append(self._import_row(row, known.get(row.sku), pictures))

    def _import_row(self, row: Row, product: Product | None, pictures: Pictures) -> RowReport:
        try:
            plan = _planned(row, product, pictures)
            self._plan_tax_class(plan)
            self._variants.plan(plan)
            category = self._categories.get(plan.category.casefold())
            is_new = bool(plan.category) and category is None
            self._plan_category_texts(plan)
            if not self._report.dry_run and plan.outcome != Outcome.UNCHANGED:
                with transaction.atomic():
                    if is_new:
                        category = _new_category(plan.category)
                    write_plan(plan, category)
            if plan.category_texts is not None and (known := self._category_of(plan)):
                known.texts = plan.category_texts
        except RowRefusedError as error:
            return RowReport(row.number, row.sku, Outcome.REFUSED, str(error), error.faults)
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

    def _category_of(self, plan: Plan) -> Category | None:
        """Return the category that the row names, if it exists."""
        return self._categories.get((plan.row.category or "").casefold())

    def _plan_category_texts(self, plan: Plan) -> None:
        if plan.row.category_texts and plan.row.category and not plan.row.variant_of:
            plan.category_texts = changed_texts(
                self._category_of(plan), plan.row.category_texts, plan.notes, column="category"
            )

    def _plan_tax_class(self, plan: Plan) -> None:
        """Plan a new tax class; an empty name is the usual rate.

        Raises RowRefusedError if the shop has none of this name.
        """
        if plan.row.tax_class is None:
            return
        wanted = self._tax_classes.get(plan.row.tax_class.casefold())
        if wanted is None and plan.row.tax_class:
            text = _("tax class: there is none named %(name)s; create it first, under Tax classes")
            raise RowRefusedError(text % {"name": shown(plan.row.tax_class)})
        now = plan.product.tax_class if plan.product else None
        if wanted != now:
            plan.values["tax_class"] = wanted
            if plan.product:
                old = shown(now.name if now else "")
                new = shown(wanted.name if wanted else "")
                plan.notes.append(f"tax class: {old} → {new}")


def _planned(row: Row, product: Product | None, pictures: Pictures) -> Plan:
    """Return the row's changes. Raises RowRefusedError."""
    plan = Plan(row, product)
    if product is None:
        is_parent = bool(row.options) and row.variant_of is None  # its variants have prices
        needed: dict[str, object] = {} if is_parent else {"price": row.price}
        if row.variant_of is None:  # a variant's are its parent's
            needed = {"name": row.name, "category": row.category, **needed}
        missing = [column for column, value in needed.items() if value is None]
        if missing:
            text = _("%(columns)s: a new product needs it")
            raise RowRefusedError(text % {"columns": ", ".join(missing)})
        if row.variant_of is None:
            plan.category = row.category or ""
    else:
        _compare(plan, product)
    left_out = {"name"} if _is_variant(plan) else set()
    texts = {
        code: {name: text for name, text in found.items() if name not in left_out}
        for code, found in row.texts.items()
    }
    changed = changed_texts(product, texts, plan.notes)
    if changed is not None:
        plan.values["texts"] = changed
    _compare_pictures(plan, pictures)
    return plan


def _is_variant(plan: Plan) -> bool:
    if plan.product is None:
        return plan.row.variant_of is not None
    return plan.product.variant_of_id is not None


def _compare(plan: Plan, product: Product) -> None:
    row = plan.row
    is_variant = product.variant_of_id is not None
    if is_variant and row.name not in (None, product.name):
        plan.notes.append(_("name stays: it is its product's, with its options"))
    for column, name, value in (
        ("name", "name", None if is_variant else row.name),
        ("description", "description", row.description),
        # A parent's is the lowest of its variants.
        ("price", "price", None if product.is_parent else row.price),
        ("shelf", "shelf", row.shelf),
        ("weight", "weight", row.weight),
        ("on sale", "is_active", row.on_sale),
    ):
        plan.change(column, name, getattr(product, name), value)
    category = "" if is_variant else row.category or ""
    if category and category.casefold() != product.category.name.casefold():
        plan.category = category
        plan.notes.append(f"category: {shown(product.category.name)} → {shown(category)}")
    # Units sold since the first import are no difference: the table has the initial stock.
    if row.stock is not None and row.stock not in (product.stock.available, product.stock.initial):
        text = _(
            "stock stays %(available)d, not %(stock)d: correct it on the product's page, with"
            " a reason"
        )
        plan.notes.append(text % {"available": product.stock.available, "stock": row.stock})


def _compare_pictures(plan: Plan, pictures: Pictures) -> None:
    """Plan added pictures and changed alt texts; an import never removes a picture."""
    there: dict[str, ProductMedia] = {}
    for medium in plan.product.media.all() if plan.product else ():
        for asset in filter(None, (medium.asset, medium.replacement)):
            there.setdefault(asset.sha256, medium)
    seen: set[str] = set()
    notes: list[str] = []
    absent = 0
    for picture, cell in pictures:
        if picture.sha256 in seen:
            continue  # same content under another name: the first one's text is used
        seen.add(picture.sha256)
        known = there.get(picture.sha256)
        if picture.is_absent:
            absent += 1
            continue
        if known is None:
            plan.added.append((picture, cell))
            continue
        values: dict[str, Any] = {}
        if cell.alt and cell.alt != known.alt:
            values["alt"] = cell.alt
            notes.append(f"alt: {shown(known.alt)} → {shown(cell.alt)}")
        if (texts := changed_texts(known, cell.texts, notes)) is not None:
            values["texts"] = texts
        if values:
            plan.alts.append((known, values))
    if count := len(plan.added):
        plan.notes.append(
            ngettext("%(count)d new picture", "%(count)d new pictures", count) % {"count": count}
        )
    if absent:
        text = ngettext(
            "%(count)d picture isn't in this shop: bring its file",
            "%(count)d pictures aren't in this shop: bring their files",
            absent,
        )
        plan.notes.append(text % {"count": absent})
    plan.notes += notes


def write_plan(plan: Plan, category: Category | None) -> None:
    row, product = plan.row, plan.product
    if plan.category_texts is not None:
        names = Category.objects.filter(name__iexact=row.category or "")
        names.update(texts=plan.category_texts)
    if product is None and plan.parent is not None:
        assert row.price is not None
        product = create_variant(
            parent_id=plan.parent.pk,
            options=row.options,
            sku=row.sku,
            slug=free_slug(Product, slugify(f"{plan.parent.slug}-{row.sku}"), slugify(row.sku)),
            price=row.price,
            stock=row.stock or 0,
            position=row.position or 0,
            is_active=row.on_sale is not False,
            texts=plan.values.get("texts"),
            description=row.description or "",
            shelf=row.shelf or "",
            weight=row.weight,
            tax_class=plan.values.get("tax_class"),
        )
    elif product is None:
        assert row.name is not None  # _planned has refused a row without it
        assert category is not None
        product = create_product(
            sku=row.sku,
            name=row.name,
            slug=free_slug(Product, slugify(row.name), slugify(row.sku)),
            category=category,
            price=Decimal(0) if row.price is None else row.price,
            description=row.description or "",
            is_active=row.on_sale is not False,
            options=row.options,
            position=row.position or 0,
            texts=plan.values.get("texts"),
            stock=row.stock or 0,
            shelf=row.shelf or "",
            weight=row.weight,
            tax_class=plan.values.get("tax_class"),
        )
    else:
        values = plan.values | ({"category": category} if category else {})
        if values:
            Product.objects.filter(pk=product.pk).update(**values)
            keep_variants(product.variant_of_id or product.pk)
    for picture, cell in plan.added:
        assert picture.asset is not None  # a dry run doesn't write
        add_media(product=product, asset=picture.asset, alt=cell.alt, texts=cell.texts)
    for medium, changed in plan.alts:
        ProductMedia.objects.filter(pk=medium.pk).update(**changed)


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
