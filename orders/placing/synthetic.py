"""Synthetic orders: how a performance run shows that an order is its own.

The run signs a pass for itself. An order with the pass is placed in the run's tables, where there
is one product; without it nobody can order that product, and with it nobody can order another.
"""

from datetime import timedelta

from django.core import signing
from django.utils.translation import gettext as _

from orders.placing.errors import FieldError, InvalidOrder

RUN_HEADER = "Performance-Run"
VALID_FOR = timedelta(minutes=15)
"""Longer than the longest run."""
_SALT = "orders.placing.synthetic"


def sign_pass(run_id: int) -> str:
    """Return the pass of this run, for `RUN_HEADER`."""
    return signing.TimestampSigner(salt=_SALT).sign(str(run_id))


def is_synthetic(value: str) -> bool:
    """Tell whether the header is a run's pass; False without one. Raises InvalidOrder if forged."""
    if not value:
        return False
    try:
        signing.TimestampSigner(salt=_SALT).unsign(value, max_age=VALID_FOR)
    except signing.BadSignature:
        raise no_run() from None
    return True


def no_run() -> InvalidOrder:
    """Return the refusal of a synthetic order without a run that is going on."""
    return InvalidOrder([FieldError(RUN_HEADER, _("There is no such performance run."))])
