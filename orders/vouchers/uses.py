"""The uses of vouchers outside placing: whose they are, and giving one back."""

import hashlib
import hmac
from uuid import UUID

from django.conf import settings
from django.db.models import F
from django.db.models.functions import Now

from orders.models import Voucher, VoucherUse
from project.email_addresses import mailbox


def persons_of(email: str) -> tuple[str, ...]:
    """Return what a person's uses are counted by: one for each mailbox, however it is written.

    The first is the one that new uses have; the others are those of before SECRET_KEY was rotated.
    """
    message = f"voucher\x00{mailbox(email)}".encode()
    secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return tuple(
        hmac.new(secret.encode(), message, hashlib.sha256).hexdigest() for secret in secrets
    )


def lock_voucher(order_id: UUID) -> None:
    """Lock the voucher that the order used, if any: after the stock, before the order."""
    used = VoucherUse.objects.filter(order_id=order_id).values("voucher_id")
    list(Voucher.objects.select_for_update(no_key=True).filter(pk__in=used))


def give_back_use(order_id: UUID) -> None:
    """Give the order's use back, once: another order may have it. The voucher is locked."""
    use = VoucherUse.objects.filter(order_id=order_id, given_back_at=None)
    voucher_id = use.values_list("voucher_id", flat=True).first()
    if voucher_id is not None and use.update(given_back_at=Now()):
        Voucher.objects.filter(pk=voucher_id).update(used=F("used") - 1)
