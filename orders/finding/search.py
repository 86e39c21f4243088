"""Finding an order by what a customer says: a number, name, e-mail address or phone number."""

from django.db.models import Q

from project.database.words import has_words
from project.desk.search_terms import has_address, has_phone, typed_id
from project.order_numbers import order_number


def means_order(text: str) -> Q:
    """Return the condition for the orders that the text may mean. Each part of it has an index.

    Words of names are found by their beginnings, without accents and case, and an address by its
    beginning. Digits may be a number, or the end of a phone number.
    """
    if wanted := typed_id(text):
        return Q(pk=wanted)
    number, phone = order_number(text), has_phone("phone", text)
    if number is not None:
        return Q(number=number) | phone if phone else Q(number=number)
    if phone:
        return phone
    if "@" in text:
        return has_address("email", text)
    words = Q(has_words("name", text))
    return words if " " in text else words | has_address("email", text)
