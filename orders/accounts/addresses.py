"""A user's addresses: at most one is the default, and never more than a page holds."""

from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db import transaction

from orders.accounts.fields import ADDRESS_FIELDS
from orders.models import Address, User
from orders.models.user import MAX_ADDRESSES


class TooManyAddressesError(Exception):
    """The user keeps as many addresses as may be."""


def save_address(user: User, *, address_id: int | None, values: dict[str, Any]) -> bool:
    """Write a new address, or the user's own one with this id; the first is the default.

    False if the user has no such address. Raises TooManyAddressesError.
    """
    with transaction.atomic():
        addresses = _locked(user)
        if address_id is None and addresses.count() >= MAX_ADDRESSES:
            raise TooManyAddressesError
        others = addresses.exclude(pk=address_id)
        if values["is_default"]:
            others.update(is_default=False)
        elif not others.filter(is_default=True).exists():
            values = {**values, "is_default": True}
        if address_id is None:
            Address.objects.create(user=user, **values)
            return True
        return bool(addresses.filter(pk=address_id).update(**values))


def delete_address(user: User, *, address_id: int) -> bool:
    """Delete the user's own address; another becomes the default. False if there is none."""
    with transaction.atomic():
        addresses = _locked(user)
        deleted, _by_model = addresses.filter(pk=address_id).delete()
        if not addresses.filter(is_default=True).exists():
            heir = addresses.order_by("pk").first()
            addresses.filter(pk=heir.pk if heir else None).update(is_default=True)
        return bool(deleted)


def known_of(reader: User | AnonymousUser) -> dict[str, str]:
    """Return what fills the checkout: the user's name, ways to be reached, default address."""
    if not isinstance(reader, User):
        return {}
    known = {"name": reader.name, "email": reader.email, "phone": reader.phone}
    address = reader.addresses.filter(is_default=True).first()
    if address is not None:
        known |= {name: getattr(address, name) for name in ADDRESS_FIELDS}
        known["handover"] = "delivery"
    return known


def _locked(user: User) -> Any:
    """Return the user's addresses, which nobody else changes until the commit."""
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    return Address.objects.filter(user=user)
