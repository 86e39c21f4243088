"""URLs that may hold a password: parsed here only, and never shown.

What the standard library says of a URL that it can't parse quotes a part of it, often of the
password: "Port could not be cast to integer value as 'pa'". And a password with `/`, `?` or `#`
in it may even parse: as a host, a port and a path that contains the rest of the password.
"""

import re
from urllib.parse import SplitResult, unquote, urlsplit

PERCENT = "In user and password write / + ? # @ [ ] % as %2F %2B %3F %23 %40 %5B %5D %25"
SHORTEST_SECRET = 4
"""Characters: to hide a shorter one would hide other words, too."""
SHORTEST_PART = 8
"""Characters of a part that may be a key, or not: hosts and small words stay readable."""
_SECRET_NAME = re.compile("key|secret|token|pass|pwd|auth|sig$", re.IGNORECASE)


class UnreadableUrlError(ValueError):
    """The URL can't be parsed, or only by taking a part of its password for something else."""


def split_url(value: str, *, several_hosts: bool = False) -> SplitResult:
    """Return the URL's parts, with a port that is a number.

    With `several_hosts`, as in mongodb://one:1,two:2/, the ports aren't read. Raises
    UnreadableUrlError, which has no part of the URL, in its traceback neither.
    """
    try:
        url = urlsplit(value)
        readable = several_hosts or url.port is None or url.port > 0
    except ValueError:
        raise UnreadableUrlError from None
    # The user and the password end at the @: one that comes later belongs to a password with
    # a character that has a meaning in URLs.
    if not readable or "@" in f"{url.path}{url.query}{url.fragment}":
        raise UnreadableUrlError
    return url


def secrets_in(url: str) -> list[str]:
    """Return the parts of a gateway's URL that no message may contain, the longest first."""
    found: set[str] = set()
    try:
        parts = split_url(url)
    except UnreadableUrlError:
        found |= _pieces(url)
    else:
        if parts.scheme.startswith("apprise+"):  # each service has its keys in other places
            found |= {piece for piece in _pieces(url) if not _is_domain(piece, parts)}
        found |= {parts.username or ""} if len(parts.username or "") >= SHORTEST_PART else set()
        found |= {parts.password or ""}
        for pair in parts.query.split("&"):
            name, _equals, secret = pair.partition("=")
            found |= {secret} if _SECRET_NAME.search(name) else set()
    found |= {unquote(part) for part in found}
    return sorted((part for part in found if len(part) >= SHORTEST_SECRET), key=len, reverse=True)


def without_secrets(words: str, url: str) -> str:
    """Return the words with … in the place of what the URL keeps secret."""
    for secret in secrets_in(url):
        words = words.replace(secret, "…")
    return words


def _is_domain(piece: str, parts: SplitResult) -> bool:
    return "." in piece and piece == parts.hostname


def _pieces(url: str) -> set[str]:
    pieces = re.split(r"[/@:?&=#\s]+", url.partition("://")[2] or url)
    return {piece for piece in pieces if len(piece) >= SHORTEST_PART and "{to}" not in piece}
