"""The three ways in which people move stock: receive, correct, count."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from django.utils.translation import gettext_lazy as _

from orders.models import StockMovement

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


Words: TypeAlias = "str | _StrPromise"


@dataclass(frozen=True)
class Mode:
    """One way, with its question. `field` is the form's: `delta` or `counted`."""

    label: Words
    kind: StockMovement.Kind
    field: str
    question: Words
    help: Words
    example: Words
    least: int | None = None
    """The smallest number that the question takes, if it has one of its own."""


MODES = {
    "receive": Mode(
        label=_("Receive"),
        kind=StockMovement.Kind.RECEIPT,
        field="delta",
        question=_("Units that came in"),
        help=_("They are added to the units on hand."),
        example=_("Delivery note 4711"),
        least=1,
    ),
    "correct": Mode(
        label=_("Correct"),
        kind=StockMovement.Kind.CORRECTION,
        field="delta",
        question=_("Change by"),
        help=_("With a minus sign, units that are gone."),
        example=_("Broken in the store"),
    ),
    "count": Mode(
        label=_("Count"),
        kind=StockMovement.Kind.COUNT,
        field="counted",
        question=_("Counted"),
        help=_("Units that are there. What was ordered while you counted stays ordered."),
        example=_("Shelf 12 counted"),
    ),
}
