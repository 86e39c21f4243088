"""`{{ name|isolated }}`: a name among other words where no element can be, as in a title."""

from django import template

from project.text import isolate

register = template.Library()


@register.filter
def isolated(text: object) -> str:
    """Return the text between marks, if it runs from right to left."""
    return isolate(str(text))
