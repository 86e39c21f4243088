"""A user's saved addresses: at most MAX_ADDRESSES, at most one of them the default."""

from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db import transaction

from orders.accounts.fields import ADDRESS_FIELDS
from orders.models import Address, User
from orders.models.user import MAX_ADDRESSES
from project.email_addresses import readable_address


class TooManyAddressesError(Exception):
    """The user has MAX_ADDRESSES addresses already."""


def save_address(user: User, *, address_id: int | None, values: dict[str, Any]) -> bool:
    """Insert a new address, or update the user's address with this id. The first is the default.

    For an update, `values` are the changed fields. Returns False if the user has no such address.
    Raises TooManyAddressesError.
    """
    with transaction.atomic():
        addresses = lock_addresses(user)
        if address_id is None and addresses.count() >= MAX_ADDRESSES:
            raise TooManyAddressesError
        others = addresses.exclude(pk=address_id)
        if values.get("is_default"):
            others.update(is_default=False)
        elif not others.filter(is_default=True).exists():
            values = {**values, "is_default": True}
        if address_id is None:
            Address.objects.create(user=user, **values)
            return True
        mine = addresses.filter(pk=address_id)
        return bool(mine.update(**values) if values else mine.exists())


def delete_address(user: User, *, address_id: int) -> bool:
    """Delete the user's address; another one becomes the default. False if it doesn't exist."""
    with transaction.atomic():
        addresses = lock_addresses(user)
        deleted, _by_model = addresses.filter(pk=address_id).delete()
        if not addresses.filter(is_default=True).exists():
            heir = addresses.order_by("pk").first()
            addresses.filter(pk=heir.pk if heir else None).update(is_default=True)
        return bool(deleted)


def checkout_defaults(reader: User | AnonymousUser) -> dict[str, str]:
    """Return the checkout's initial values: the user's name, e-mail, phone, default address."""
    if not isinstance(reader, User):
        return {}
    known = {
        "name": reader.name,
        "email": readable_address(reader.email),
        "phone": reader.phone,
    }
    address = reader.addresses.filter(is_default=True).first()
    if address is not None:
        known |= {name: getattr(address, name) for name in ADDRESS_FIELDS}
        known["handover"] = "delivery"
    return known


def lock_addresses(user: User) -> Any:
    """Lock the user and return the addresses; no other request changes them until the commit."""
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    return Address.objects.filter(user=user)
