"""E-mail addresses in one form: the form in which they are stored, compared and sent.

A mailbox has many spellings: full-width letters, invisible characters from a copied page, a domain
in capital letters, in its own script or as DNS has it. `canonical_address` makes one of them, and
every place where an address enters calls it.

The domain is in its ASCII form (`xn--…`), by IDNA 2008: it is what DNS and SMTP use, no library
can encode it in another way later, and the database compares it without knowing Unicode.
"""

import re
import unicodedata

import idna
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator

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

STORED = r"^[!-~]+@[!-?\[-~]+$"
"""What a CHECK of the database holds of the one form, on each table that stores addresses: visible
ASCII without space, and a domain without capital letters."""
MAX_LENGTH = 254
"""The length of an address, by the limit of a path of SMTP (RFC 5321, 4.5.3.1.3)."""
MAX_LOCAL_LENGTH = 64
"""The length of the part before the at sign (RFC 5321, 4.5.3.1.1)."""
_check_syntax = EmailValidator(allowlist=[])


class InvalidAddressError(ValueError):
    """The text isn't an e-mail address that the shop can send to."""


def canonical_address(text: str) -> str:
    """Return the address in its one form, for comparing. Raises InvalidAddressError.

    Invisible characters and surrounding space are removed, full-width letters become ASCII (RFC
    8265, 3.3.1), the domain becomes its ASCII form. The local part keeps its case: only its mail
    server knows whether case matters there. It must be ASCII: a letter that merely resembles an
    ASCII one (ı, ſ) must not become it, or the mail goes to another person. This is no complete
    check of the syntax: see `deliverable_address`.
    """
    local, at, domain = text.strip().translate(AT_SIGNS).rpartition("@")
    if not at or DIRECTION_MARKS & set(text):
        raise InvalidAddressError(text)
    local = "".join(map(_narrow, _visible(local))).lstrip()
    if not local or not local.isascii():
        raise InvalidAddressError(text)
    return f"{local}@{ascii_domain(domain)}"


def deliverable_address(text: str) -> str:
    """Return the address in its one form, if mail can reach it. Raises InvalidAddressError.

    It is the rule for each address that a person or a client gives: the syntax is right, no part
    is too long, and the domain is one of the Internet's, not a host of the local network
    (`ada@localhost`) or a bare IP address (`ada@[192.0.2.1]`).
    """
    address = canonical_address(text)
    local, _at, domain = address.rpartition("@")
    try:
        _check_syntax(address)
    except ValidationError as error:
        raise InvalidAddressError(text) from error
    if (
        domain.startswith("[")
        or len(local) > MAX_LOCAL_LENGTH
        or len(address) > MAX_LENGTH
        or not re.fullmatch(STORED, address)
    ):
        raise InvalidAddressError(text)
    return address


def storable_address(address: str) -> str:
    """Return a stored address in its one form, or escaped if it has none: for migrations."""
    try:
        canonical = canonical_address(address)
    except InvalidAddressError:
        return escaped_address(address)
    return canonical if re.fullmatch(STORED, canonical) else escaped_address(address)


def escaped_address(address: str) -> str:
    r"""Return an address that must not have its one form in visible ASCII, as the CHECK wants it.

    Each other character becomes its escape, as in `m\u0131ke@example.org`: a person can still read
    what it was, and no mail server can take it for another mailbox.
    """
    local, _at, domain = address.rpartition("@")
    if not local or not domain:
        local, domain = address, "none.invalid"  # no domain of the Internet (RFC 2606)
    domain = _escaped(domain).lower()[:180]
    return f"{_escaped(local)[: MAX_LENGTH - 1 - len(domain)]}@{domain}"


def _escaped(text: str) -> str:
    visible = text.encode("unicode_escape").decode("ascii")
    return visible.replace(" ", r"\x20").replace("@", r"\x40")


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


def mailbox(email: str) -> str:
    """Return the form in which an address counts: one spelling, without its subaddress.

    What follows a plus sign leads to the same mailbox (RFC 5233), and may differ in each order.
    """
    try:
        email = canonical_address(email)
    except InvalidAddressError:
        pass  # placing refuses it, or has refused it: it has no other spelling
    local, _at, domain = email.lower().rpartition("@")
    return f"{local.partition('+')[0] or local}@{domain}"
