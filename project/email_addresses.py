"""E-mail addresses in one form: the form in which they are stored, compared and sent.

A mailbox has many spellings: full-width letters, invisible characters from a copied page, a domain
in capital letters, in its own script or as DNS has it. `canonical_address` makes one of them, and
every place where an address enters calls it.

The domain is in its ASCII form (`xn--…`), by IDNA 2008: it is what DNS and SMTP use, no library
can encode it in another way later, and the database compares it without knowing Unicode.
"""

import unicodedata

import idna

from project.text import DIRECTION_MARKS

AT_SIGNS = str.maketrans({"\uff20": "@", "\ufe6b": "@"})
"""Full-width and small forms of the at sign."""
DOTS = str.maketrans({"\u3002": ".", "\uff0e": ".", "\uff61": "."})
"""The dots that separate labels, like the ASCII one (RFC 3490, 3.1; UTS #46, 2.3)."""
INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0") | frozenset(
    map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)))
)
"""The characters without a shape that Unicode doesn't class as format characters: joiners, fillers
and variation selectors (`Default_Ignorable_Code_Point`)."""


class InvalidAddressError(ValueError):
    """The text isn't an e-mail address that the shop can send to."""


def canonical_address(text: str) -> str:
    """Return the address in its one form. Raises InvalidAddressError.

    Invisible characters and surrounding space are removed, full-width letters become ASCII (RFC
    8265, 3.3.1), the domain becomes its ASCII form. The local part keeps its case: only its mail
    server knows whether case matters there. It must be ASCII: a letter that merely resembles an
    ASCII one (ı, ſ) must not become it, or the mail goes to another person. This is no complete
    check of the syntax; Django's `validate_email` does the rest.
    """
    local, at, domain = text.strip().translate(AT_SIGNS).rpartition("@")
    if not at or DIRECTION_MARKS & set(text):
        raise InvalidAddressError(text)
    local = "".join(map(_narrow, _visible(local))).lstrip()
    if not local or not local.isascii():
        raise InvalidAddressError(text)
    return f"{local}@{ascii_domain(domain)}"


def ascii_domain(domain: str) -> str:
    """Return the domain as DNS has it: lower-case ASCII, by IDNA 2008. Raises InvalidAddressError.

    `straße.example` becomes `xn--strae-oqa.example` and not `strasse.example`, which belongs to
    somebody else: IDNA 2003, as Python's codec and Django's mail do it, confuses the two. The
    preparation is that of browsers (UTS #46, non-transitional). Joiners stay where the script
    needs them and are refused elsewhere.
    """
    if domain.isascii() and "xn--" not in domain.lower():
        return domain.lower()  # also an address in brackets, or a host of the local network
    try:
        return idna.encode(_edges_cut(domain), uts46=True, std3_rules=True).decode("ascii")
    except (idna.IDNAError, UnicodeError) as error:
        raise InvalidAddressError(f"no domain can have this name: {domain!r}") from error


def readable_address(address: str) -> str:
    """Return the address with its domain in its own script, for a page that shows it."""
    local, at, domain = address.rpartition("@")
    try:
        return f"{local}{at}{idna.decode(domain)}" if "xn--" in domain else address
    except (idna.IDNAError, UnicodeError):
        return address


def _edges_cut(domain: str) -> str:
    """Remove joiners at the ends of labels, where no script needs them: they came by copying."""
    labels = domain.translate(DOTS).split(".")
    return ".".join(label.strip("\u200c\u200d") for label in labels)


def _visible(text: str) -> str:
    return "".join(
        character
        for character in text
        if unicodedata.category(character) != "Cf" and character not in INVISIBLE
    )


def _narrow(character: str) -> str:
    """Return the ASCII form of a full-width character; others stay."""
    if unicodedata.decomposition(character).startswith(("<wide>", "<narrow>")):
        return unicodedata.normalize("NFKC", character)
    return character
