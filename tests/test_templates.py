"""What templates may name: see `tests.conftest`."""

import pytest
from django.template import Context, Template


class Form:
    def __init__(self, *, order: object) -> None:
        self.order = order


def test_a_template_that_calls_what_needs_arguments_fails_its_test() -> None:
    with pytest.raises(AssertionError, match="needs arguments"):
        Template("{% if step.form %}a page{% endif %}").render(Context({"step": {"form": Form}}))


def test_a_template_may_call_what_needs_none() -> None:
    assert Template("{{ step.name }}").render(Context({"step": {"name": lambda: "pay"}})) == "pay"
