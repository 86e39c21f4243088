"""A list that a link filters by one row names it, and the audit log keeps its key alone."""

from types import SimpleNamespace

import pytest

from orders.models import Order, User
from project.desk.chosen_filters import chosen_filters, untranslated_filters

pytestmark = pytest.mark.django_db


def test_a_row_is_named_on_the_page_and_a_key_in_the_log() -> None:
    ada = User.objects.create_user("ada", "ada@example.org")
    listed = SimpleNamespace(
        query="",
        model=Order,
        filter_specs=[],
        get_filters_params=lambda: {"user__id__exact": [str(ada.pk)]},
    )

    [(_label, shown)] = chosen_filters(listed)
    [kept] = untranslated_filters(listed)

    assert shown == str(ada)
    assert (kept.value, kept.is_word) == (str(ada.pk), False)
