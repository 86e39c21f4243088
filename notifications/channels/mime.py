"""An e-mail as it goes over the wire: ASCII, in lines of bounded length (RFC 5322, RFC 2045).

Bodies are quoted-printable or base64, whatever the next server can take. Headers are folded here
and not by the standard library, which knows nothing of what mailbox providers read: its default
policy writes a long URL as an encoded word, and its older one leaves a long subject's first line
empty.
"""

import base64
import binascii
import re
from collections.abc import Iterator
from email.generator import BytesGenerator
from email.header import decode_header, make_header
from email.headerregistry import Address
from email.message import Message as MimeMessage
from email.mime.base import MIMEBase
from email.mime.multipart import MIMEMultipart
from email.mime.nonmultipart import MIMENonMultipart
from email.policy import compat32
from email.utils import formataddr, formatdate, parseaddr
from io import BytesIO
from typing import Any, cast

from django.core.mail.message import sanitize_address
from django.utils.encoding import iri_to_uri

from notifications.channels.message import Attachment, Message
from project.email_addresses import ascii_domain

LONGEST_LINE = 998
"""Characters of a line, at most (RFC 5322, 2.1.1)."""
LINE = 76
"""Characters of a line with an encoded word in it, at most (RFC 2047, 2)."""
WORD = 75
"""Characters of an encoded word, at most."""
ENCODED_WORD = "=?utf-8?b?{}?="
POLICY = compat32.clone(mangle_from_=False)


class Folded:
    """A header's value in its lines. The generator writes them as they are."""

    def __init__(self, *lines: str) -> None:
        self.lines = lines

    def encode(self, *, linesep: str = "\n", **_options: object) -> str:
        """Return the value as the generator asks for it. Lines beyond ASCII are UTF-8."""
        written = f"{linesep} ".join(self.lines)
        return written.encode().decode("ascii", "surrogateescape")

    def __str__(self) -> str:
        return " ".join(self.lines)


def written(message: Message, *, sender: str, message_id: str) -> MimeMessage:
    """Return the e-mail from the sender (an address, or a name and one) to its recipient.

    Raises ValueError if an address or a header can't be written.
    """
    mime: Any = _body(message)  # the generator takes any value that can encode itself
    mime["Subject"] = folded("Subject", message.subject)
    mime["From"] = _named_address("From", sender)
    mime["To"] = Folded(wire_address(message.recipient))
    mime["Date"] = formatdate()
    mime["Message-ID"] = Folded(message_id)
    # Keeps out-of-office replies and mail loops away (RFC 3834).
    mime["Auto-Submitted"] = "auto-generated"
    for name, value in _unsubscribing(message.unsubscribe_url):
        mime[name] = value
    return cast("MimeMessage", mime)


def as_bytes(mime: MimeMessage) -> bytes:
    """Return what the mail server gets."""
    written = BytesIO()
    BytesGenerator(written, policy=POLICY.clone(linesep="\r\n")).flatten(mime)
    return written.getvalue()


def wire_address(address: str) -> str:
    """Return the address as SMTP and headers have it, its domain as DNS has it.

    A local part beyond ASCII stays as it is: only servers that offer SMTPUTF8 take it (RFC 6531).
    Raises ValueError for what is no address.
    """
    local, _at, domain = address.rpartition("@")
    if not (local and domain):
        raise ValueError(f"Invalid address {address!r}")
    domain = ascii_domain(domain)  # before Django's own encoding, which is IDNA 2003
    if local.isascii():
        return str(sanitize_address(f"{local}@{domain}", "utf-8"))
    if not address.isprintable() or re.search(r'[\s<>(),;:"\\\[\]@]', local):
        raise ValueError(f"Invalid address {address!r}")
    return Address(username=local, domain=domain).addr_spec


def folded(name: str, text: str) -> Folded:
    """Return an unstructured header's text, which begins in the header's first line.

    Raises ValueError if it has line breaks.
    """
    if "\n" in text or "\r" in text:
        raise ValueError(f"{name}: a header can't contain newlines: {text!r}")
    words = text.split(" ")
    is_plain = text.isascii() and text.isprintable() and "=?" not in text and all(words)
    if is_plain and max(map(len, words)) < LONGEST_LINE // 2:
        return Folded(*_filled(words, first=len(name) + 2))
    return Folded(*_encoded(text, first=len(name) + 2))


def _filled(words: list[str], *, first: int) -> Iterator[str]:
    """The words in lines, of which the first has less room."""
    line, room = words[0], LINE - first
    for word in words[1:]:
        if len(line) + 1 + len(word) > room:
            yield line
            line, room = word, LINE - 1
        else:
            line = f"{line} {word}"
    yield line


def _encoded(text: str, *, first: int) -> Iterator[str]:
    """The text as encoded words, a line each, none of which breaks a character (RFC 2047, 5)."""
    chunk, room = b"", _bytes_of(min(WORD, LINE - first))
    for character in text:
        encoded = character.encode()
        if len(chunk) + len(encoded) > room:
            yield ENCODED_WORD.format(base64.b64encode(chunk).decode())
            chunk, room = b"", _bytes_of(WORD)
        chunk += encoded
    yield ENCODED_WORD.format(base64.b64encode(chunk).decode())


def _bytes_of(length: int) -> int:
    """How many bytes fit into an encoded word of that length."""
    return (length - len(ENCODED_WORD.format(""))) // 4 * 3


def _named_address(header: str, mailbox: str) -> Folded:
    name, address = parseaddr(mailbox)
    name = str(make_header(decode_header(name)))
    address = wire_address(address)
    if not name:
        return Folded(address)
    if name.isascii() and name.isprintable():
        return Folded(formataddr((name, address)))
    return Folded(*folded(header, name).lines, f"<{address}>")


def _unsubscribing(url: str) -> Iterator[tuple[str, str | Folded]]:
    """The headers by which mail programs offer to unsubscribe; in one click only by https.

    The URL stands in them as it is: mail programs neither decode nor join it (RFC 2369, 2;
    RFC 8058). One that is too long for a line is only in the message's text.
    """
    link = Folded(f"<{iri_to_uri(url)}>")
    if not url or len(f"List-Unsubscribe: {link}") > LONGEST_LINE:
        return
    yield "List-Unsubscribe", link
    if url.startswith("https://"):
        yield "List-Unsubscribe-Post", "List-Unsubscribe=One-Click"


def _body(message: Message) -> MimeMessage:
    """Text, HTML, what it shows and what goes with it, each level only if there is something."""
    body: MimeMessage = _text(message.text, "plain")
    if message.html:
        body = _multipart("alternative", body, _text(message.html, "html"))
    if pictures := [file for file in message.attachments if file.cid]:
        # RFC 2387, 3.1: it names the type of its first part.
        related = MIMEMultipart("related", type=body.get_content_type(), policy=POLICY)
        body = _filled_with(related, body, *map(_file, pictures))
    if files := [file for file in message.attachments if not file.cid]:
        body = _multipart("mixed", body, *map(_file, files))
    return body


def _multipart(subtype: str, *parts: MimeMessage) -> MimeMessage:
    return _filled_with(MIMEMultipart(subtype, policy=POLICY), *parts)


def _filled_with(multipart: MIMEMultipart, *parts: MimeMessage) -> MimeMessage:
    for part in parts:
        multipart.attach(part)
    return multipart


def _text(text: str, subtype: str) -> MimeMessage:
    """A text in the shorter of both encodings: Latin stays legible in the source."""
    part = MIMENonMultipart("text", subtype, charset="utf-8", policy=POLICY)
    canonical = re.sub("\r\n|\r|\n", "\r\n", text).encode()
    quoted = binascii.b2a_qp(canonical, istext=True)
    plain = base64.encodebytes(canonical)
    is_quoted = len(quoted) <= len(plain)
    part["Content-Transfer-Encoding"] = "quoted-printable" if is_quoted else "base64"
    part.set_payload((quoted if is_quoted else plain).decode().replace("\r\n", "\n"))
    return part


def _file(file: Attachment) -> MimeMessage:
    maintype, _slash, subtype = file.kind.partition("/")
    part: Any = MIMEBase(maintype, subtype, policy=POLICY)
    if maintype == "text" and _is_utf8(file.content):
        part.set_param("charset", "utf-8")
    part["Content-Transfer-Encoding"] = "base64"
    part.set_payload(base64.encodebytes(file.content).decode())
    if file.cid:
        part["Content-ID"] = f"<{file.cid}>"
    how = "inline" if file.cid else "attachment"
    part.add_header("Content-Disposition", how, filename=file.name)
    return cast("MimeMessage", part)


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True
