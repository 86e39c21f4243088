"""Variants in an import: which product a row is a variant of, and what is chosen of it."""

from decimal import Decimal

from django.utils.translation import gettext as _

from orders.catalogue.variants import VariantError, check_parent, check_variant
from orders.imports.errors import RowRefusedError
from orders.imports.plan import Plan, shown
from orders.models import Product


class VariantPlans:
    """Plans the columns `variant of`, `options` and `position`.

    Parents come before their variants, so those that a dry run would create are known here.
    """

    def __init__(self) -> None:
        self._parents: dict[str, Product] = {}
        """The parents that a dry run would create or change, by SKU."""
        self._options: set[tuple[str, tuple[str, ...]]] = set()
        """The new variants of these, by parent and options."""

    def plan(self, plan: Plan) -> None:
        """Add the row's changes to the plan. Raises RowRefusedError."""
        row, product = plan.row, plan.product
        try:
            if row.variant_of is not None and product is None:
                self._plan_new_variant(plan, row.variant_of)
            elif row.variant_of is not None and product is not None:
                _refuse_moving(product, row.variant_of)
            if row.options and not (product is None and row.variant_of):
                self._plan_options(plan)
        except VariantError as error:
            raise RowRefusedError(f"options: {error}") from error
        if row.position is not None:
            now = product.position if product else 0
            if row.position != now:
                plan.values["position"] = row.position
                if product:
                    plan.notes.append(f"position: {now} → {row.position}")

    def _plan_new_variant(self, plan: Plan, sku: str) -> None:
        row = plan.row
        parent = Product.objects.filter(sku=sku).first() or self._parents.get(sku)
        if parent is None:
            text = _("variant of: there is no product “%(sku)s”, in the shop or in the table")
            raise RowRefusedError(text % {"sku": sku})
        parent.options = self._parents.get(sku, parent).options
        check_variant(parent, row.options)
        if (sku, row.options) in self._options:
            raise VariantError(_("Another variant has these options."))
        self._options.add((sku, row.options))
        plan.parent = parent
        plan.values["options"] = list(row.options)

    def _plan_options(self, plan: Plan) -> None:
        row, product = plan.row, plan.product
        options = list(row.options)
        if product is not None and product.variant_of is not None:
            if options != product.options:
                check_variant(product.variant_of, options, pk=product.pk)
        else:
            check_parent(product or Product(), options)
            self._parents[row.sku] = Product(
                pk=product.pk if product else None,
                sku=row.sku,
                options=options,
                price=Decimal(0),
            )
        plan.change("options", "options", product.options if product else [], options)


def _refuse_moving(product: Product, sku: str) -> None:
    now = product.variant_of.sku if product.variant_of else ""
    if now != sku:
        text = _(
            "variant of: it is %(now)s now; an import makes no variant of a known product, and"
            " moves none"
        )
        raise RowRefusedError(text % {"now": shown(now) if now else _("a product of its own")})
