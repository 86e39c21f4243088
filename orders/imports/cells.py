"""One cell of a table: its text, and why a text can't be what the shopkeeper typed.

Spreadsheets turn what is typed into dates, numbers and errors. Taken as they are, these would
become names and article numbers, so such a cell is in doubt, and its row is refused.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Any

from django.utils.translation import gettext as _

from orders.models.translated import other_languages

TEXT_COLUMNS = frozenset(
    {
        *("sku", "name", "category", "description", "shelf", "pictures", "picture", "alt"),
        *("variant of", "options"),
    }
)
"""Columns whose cells are texts: a number in them must read the same as its cell."""
EXACT_DIGITS = 15
"""The significant digits of a number that a spreadsheet keeps."""
_ERROR = re.compile(
    r"#(N/A|REF!|NAME\?|VALUE!|DIV/0!|NUM!|NULL!|SPILL!|CALC!|FIELD!|BLOCKED!|CONNECT!|UNKNOWN!"
    r"|BUSY!|GETTING_DATA|#+)|Err:[0-9]{3}"
    # As Excel writes them into a CSV in German, French, Italian and Spanish; in Chinese as above.
    r"|#(NV|WERT!|BEZUG!|ZAHL!|ÜBERLAUF!|VALEUR!|NOM\?|NOMBRE!|VALORE!|RIF!|NOME\?|N/D|¿NOMBRE\?)"
    r"|#¡(VALOR|REF|NUM|DIV/0|NULO)!"
)
_SCIENTIFIC = re.compile(r"[0-9]([.,][0-9]+)?E[+-][0-9]{1,3}")
_MONTH = "(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_GERMAN_MONTH = "(Jan|Feb|Mrz|Apr|Mai|Jun|Jul|Aug|Sep|Okt|Nov|Dez)"
_LOGICAL = ("TRUE", "FALSE", "WAHR", "FALSCH")
_DATE = re.compile(
    # As spreadsheets shorten dates, and as programs write the moment of one.
    rf"[0-9]{{1,2}}-{_MONTH}(-[0-9]{{2,4}})?|{_MONTH}-[0-9]{{2}}"
    rf"|[0-9]{{1,2}}\. ?{_GERMAN_MONTH}|{_GERMAN_MONTH} [0-9]{{2}}"
    r"|[0-9]{4}年[0-9]{1,2}月([0-9]{1,2}日)?|[0-9]{1,2}月[0-9]{1,2}日"
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}(:[0-9]{2})?(\.[0-9]+)?"
)
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters and marks that show nothing."""
_JOINERS = frozenset("\u200c\u200d")
"""They shape Persian and Indian words and join emoji; no article number has them."""
_PLAIN_FORMATS = ("General", "0", "#", "@")
_PADDING = re.compile(r'_.|\*.|\[[^\]]*\]|\\\s|"\s*"|\s')


@dataclass(frozen=True)
class Cell:
    """A cell as text; `doubt` says what else it may be, and what to do. Empty: there is none."""

    text: str
    doubt: str = ""


def spreadsheet_cell(value: Any, *, number_format: str, is_error: bool, column: str) -> Cell:
    """Return the text of a spreadsheet's typed cell in this column."""
    if value is None:
        return Cell("")
    if is_error:
        return Cell(str(value), _is_error(str(value)))
    if isinstance(value, bool):
        doubt = "" if column == "on sale" else _is_logical(str(value).upper())
        return Cell("yes" if value else "no", doubt)
    if isinstance(value, date | time | timedelta):
        return Cell(str(value), _is_date(str(value)))
    if not isinstance(value, int | float):
        return Cell(str(value))
    text = number_text(value)
    if "%" in number_format:
        return Cell(text, _("is a percentage; format the column as numbers and type it again"))
    if _kind(column) in TEXT_COLUMNS and not (_shows_its_digits(number_format) and _is_exact(text)):
        doubt = _(
            "is the number %(text)s, which the spreadsheet shows in another way; format the column"
            " as text and type it again"
        )
        return Cell(text, doubt % {"text": text})
    return Cell(text)


def number_text(value: float) -> str:
    """Return the number with the digits that a spreadsheet shows: 13.049999999999999 is 13.05."""
    if isinstance(value, int):
        return str(value)
    return str(int(value)) if value.is_integer() else format(value, f".{EXACT_DIGITS}g")


def doubt_of(text: str, *, column: str) -> str:
    """Return why this text is doubtful in the column, and what to do; empty if it isn't."""
    if _ERROR.fullmatch(text):
        return _is_error(text)
    kind = _kind(column)
    if kind not in TEXT_COLUMNS:
        return ""
    if text in _LOGICAL:
        return _is_logical(text)
    if kind not in ("description", "alt"):
        if _SCIENTIFIC.fullmatch(text):
            return _(
                "“%(text)s” is a shortened number; format the column as text and type all digits"
            ) % {"text": text}
        if _DATE.fullmatch(text):
            return _is_date(text)
        if found := invisible(text, exact=kind == "sku"):
            return _("has an invisible character (%(code)s); delete the cell and type it again") % {
                "code": code_of(found)
            }
    return ""


def _kind(column: str) -> str:
    """Return the column without its number or language: `picture` of `picture 2`."""
    for code, _language in other_languages():
        column = column.removesuffix(f" {code}")
    return column.rstrip(" 0123456789")


def code_of(character: str) -> str:
    """Return the character's code and name, for a text that can't show it."""
    return f"U+{ord(character):04X} {unicodedata.name(character, '')}".strip()


def invisible(text: str, *, exact: bool) -> str:
    """Return the text's first character that shows nothing and means nothing; empty without one."""
    for character in text:
        if character in _BLANK:
            return character
        if unicodedata.category(character) == "Cf" and (exact or character not in _JOINERS):
            return character
    return ""


def _shows_its_digits(number_format: str) -> bool:
    """Tell whether a spreadsheet shows a number in this format as it is written."""
    return _PADDING.sub("", number_format.partition(";")[0]) in _PLAIN_FORMATS


def _is_exact(text: str) -> bool:
    return "e" not in text and sum(character.isdigit() for character in text) <= EXACT_DIGITS


def _is_error(text: str) -> str:
    return _("“%(text)s” is an error of the spreadsheet; correct the cell") % {"text": text[:40]}


def _is_logical(text: str) -> str:
    return _("is %(text)s, which is no text; type what is meant") % {"text": text}


def _is_date(text: str) -> str:
    return _("is a date (%(text)s); format the column as text and type it again") % {
        "text": text[:40]
    }
