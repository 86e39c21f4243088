"""`{{ text|linked }}`: the links of an operator's or shopper's text, in any language.

Django's `urlize` ends a link at the next space. Chinese and Japanese have none, so there a link
also ends before characters that no address has: theirs, full-width ones, typographic marks.
"""

import re

from django import template
from django.template.defaultfilters import stringfilter
from django.utils.html import Urlizer
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

NOT_IN_LINKS = (
    "\u1100-\u11ff"  # Hangul, in parts
    "\u2000-\u206f"  # general punctuation: quotation marks, dashes, ellipses, invisible marks
    "\u2e80-\u9fff"  # radicals, CJK punctuation, kana, Bopomofo, ideographs
    "\ua000-\ua4cf"  # Yi
    "\ua960-\ua97f\uac00-\ud7ff"  # Hangul
    "\uf900-\ufaff"  # compatibility ideographs
    "\ufe10-\ufe1f\ufe30-\ufe6f"  # vertical and small forms
    "\uff00-\uffef"  # half- and full-width forms
    "\U0001aff0-\U0001b16f"  # kana
    "\U0001f200-\U0001f2ff"  # enclosed ideographs
    "\U00020000-\U0003ffff"  # ideographs
    "\u00ab\u00bb\ufffd"
)


class _Linker(Urlizer):
    """Splits a text also where a link ends; what it doesn't link it leaves as it is."""

    word_split_re = re.compile(rf"""([\s<>"'{NOT_IN_LINKS}]+)""")


_linker = _Linker()


@register.filter(is_safe=True, needs_autoescape=True)
@stringfilter
def linked(text: str, autoescape: bool = True) -> SafeString:
    """Return the text with its web and e-mail addresses as links, the rest escaped."""
    return mark_safe(_linker(text, nofollow=True, autoescape=autoescape))  # noqa: S308 (escaped)
