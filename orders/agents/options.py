"""Choosing a variant step by step, as on a product's page: what is selected, and what is left."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Choice:
    """The variants that fit, the featured one first, and what they have in common."""

    variants: list[Any]
    by_name: Mapping[str, str]

    @property
    def selected(self) -> list[dict[str, str]]:
        return [{"name": name, "label": label} for name, label in self.by_name.items()]


def choose(
    names: Sequence[str],
    variants: Sequence[Any],
    selected: Mapping[str, str],
    preferences: Sequence[str],
    *,
    featured: Any = None,
) -> Choice:
    """Return the variants that have what is selected.

    If none has all of it, options are dropped from the end of `preferences` until one has the rest
    (catalog/lookup, Option Selection). A `featured` variant decides by itself. Without any
    selection it is that of the first variant.
    """
    if featured is not None:
        selected = dict(zip(names, featured.options, strict=False))
    wanted = {name: label for name, label in selected.items() if name in names}
    order = [name for name in preferences if name in wanted]
    order = [*order, *(name for name in wanted if name not in order)]
    fitting = _with(names, variants, wanted)
    while not fitting and order:
        wanted.pop(order.pop())
        fitting = _with(names, variants, wanted)
    if not wanted and variants:
        wanted = dict(zip(names, variants[0].options, strict=False))
    if featured is not None:
        fitting = [featured, *(one for one in fitting if one.pk != featured.pk)]
    return Choice(fitting, wanted)


def option_values(
    names: Sequence[str], variants: Sequence[Any], choice: Choice
) -> list[dict[str, Any]]:
    """Return each option's values: whether one can have it beside the rest of the selection."""
    shown = []
    for place, name in enumerate(names):
        others = {key: label for key, label in choice.by_name.items() if key != name}
        beside = _with(names, variants, others)
        values = []
        for label in dict.fromkeys(one.options[place] for one in variants):
            with_it = [one for one in beside if one.options[place] == label]
            values.append(
                {
                    "label": label,
                    "exists": bool(with_it),
                    "available": any(one.available > 0 for one in with_it),
                }
            )
        shown.append({"name": name, "values": values})
    return shown


def _with(names: Sequence[str], variants: Sequence[Any], wanted: Mapping[str, str]) -> list[Any]:
    return [
        one
        for one in variants
        if all(one.options[names.index(name)] == label for name, label in wanted.items())
    ]
