"""Filters of the admin's lists whose values are programs' names: they are shown in words."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.contrib.admin.filters import AllValuesFieldListFilter, FieldListFilter
from django.utils.translation import gettext_lazy as _


def words_filter(in_words: Callable[[str], str]) -> type[AllValuesFieldListFilter]:
    """Return a filter by a field's values, each shown as `in_words` says.

    It reads the table for its values: for tables that stay small.
    """

    class WordsFilter(AllValuesFieldListFilter):
        def choices(self, changelist: Any) -> Iterator[Any]:
            for choice in super().choices(changelist):
                yield {**choice, "display": in_words(str(choice["display"]))}

    return WordsFilter


def known_words_filter(
    in_words: Callable[[str], str], known: Callable[[], Iterable[str]]
) -> type[FieldListFilter]:
    """Return a filter by a field's values, which the program knows: the table isn't read for them.

    A value that is asked for is offered, too: the rows of an older version may have it.
    """

    class KnownWordsFilter(FieldListFilter):
        def expected_parameters(self) -> list[str | None]:
            return [str(self.field_path)]

        def choices(self, changelist: Any) -> Iterator[Any]:
            chosen = self.used_parameters.get(self.field_path)
            value = chosen[-1] if isinstance(chosen, list) else chosen
            remove = [self.field_path]
            yield {
                "selected": value is None,
                "query_string": changelist.get_query_string(remove=remove),
                "display": _("All"),
            }
            for each in dict.fromkeys([*known(), *([str(value)] if value is not None else [])]):
                yield {
                    "selected": value == each,
                    "query_string": changelist.get_query_string({self.field_path: each}),
                    "display": in_words(each),
                }

    return KnownWordsFilter
