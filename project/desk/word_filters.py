"""Filters of the admin's lists whose values are programs' names: they are shown in words."""

from collections.abc import Callable, Iterator
from typing import Any

from django.contrib.admin.filters import AllValuesFieldListFilter


def words_filter(in_words: Callable[[str], str]) -> type[AllValuesFieldListFilter]:
    """Return a filter by a field's values, each shown as `in_words` says."""

    class WordsFilter(AllValuesFieldListFilter):
        def choices(self, changelist: Any) -> Iterator[Any]:
            for choice in super().choices(changelist):
                yield {**choice, "display": in_words(str(choice["display"]))}

    return WordsFilter
