"""A page's forms as a browser sends them: read from the HTML, with some fields changed."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from django.test import Client


@dataclass
class OpenedPage:
    """A page that somebody has open. Its last form is sent with what it holds."""

    client: Client
    url: str
    values: dict[str, list[str]] = field(default_factory=dict)

    def without_opened_values(self) -> "OpenedPage":
        """Return the page as software sent it that didn't carry the values yet."""
        kept = {name: value for name, value in self.values.items() if "initial-" not in name}
        return OpenedPage(self.client, self.url, kept)

    def send(self, **changes: Any) -> Any:
        """Send the form with these changes; None leaves a field out, as an unchecked box is."""
        return self.client.post(self.url, self._sent(changes))

    def send_and_follow(self, **changes: Any) -> Any:
        """Send the form, and return the page that its answer leads to."""
        return self.client.post(self.url, self._sent(changes), follow=True)

    def _sent(self, changes: dict[str, Any]) -> dict[str, Any]:
        values: dict[str, Any] = {**self.values, **changes}
        return {name: value for name, value in values.items() if value is not None}


def open_page(client: Client, url: str) -> OpenedPage:
    """Open the page, and return it with the values of all its forms' fields."""
    return read_page(client, url, client.get(url).content.decode())


def read_page(client: Client, url: str, html: str) -> OpenedPage:
    """Return an answer as an open page, for example a form that was refused."""
    reader = _Reader()
    reader.feed(html)
    return OpenedPage(client, url, reader.values)


def link_of(html: str, label: str) -> str:
    """Return where the first link with this text leads; empty if there is none."""
    reader = _Links()
    reader.feed(html)
    return next((href for href, text in reader.links if " ".join(text.split()) == label), "")


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[tuple[str, str]] = []
        self._is_open = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.links.append((dict(attrs).get("href") or "", ""))
            self._is_open = True

    def handle_data(self, data: str) -> None:
        if self._is_open:
            href, text = self.links[-1]
            self.links[-1] = (href, text + data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self._is_open = False


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, list[str]] = {}
        self._select = ""
        self._offered: list[str] | None = None
        self._textarea = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        name, value = known.get("name") or "", known.get("value") or ""
        if tag == "select":
            self._select, self._offered = name, None if "multiple" in known else []
        elif tag == "option" and self._select:
            if "selected" in known:
                self.values.setdefault(self._select, []).append(value)
            elif self._offered is not None:
                self._offered.append(value)
        elif tag == "textarea":
            self._textarea = name
            self.values[name] = [""]
        elif tag == "input" and name and "disabled" not in known:
            self._read_input(name, value, known)

    def _read_input(self, name: str, value: str, known: dict[str, str | None]) -> None:
        kind = known.get("type", "text")
        if kind in ("submit", "file", "button") or "__prefix__" in name:
            return
        if kind in ("checkbox", "radio") and "checked" not in known:
            return
        self.values.setdefault(name, []).append(value or ("on" if kind == "checkbox" else ""))

    def handle_data(self, data: str) -> None:
        if self._textarea:
            text = self.values[self._textarea][0] + data
            self.values[self._textarea] = [text.removeprefix("\n")]

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._textarea = ""
        elif tag == "select":
            if self._offered and self._select not in self.values:
                self.values[self._select] = self._offered[:1]  # a browser sends the first
            self._select = ""
