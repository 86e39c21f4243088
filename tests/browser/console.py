"""What a page logs as an error, which no page of Tandem may."""

from playwright.sync_api import Page

_REPLACED = ("htmx:sendAbort", "htmx:afterRequest")
"""htmx logs both where a request is replaced by a newer one (hx-sync="this:replace"): the typing
went on, and the older answer isn't wanted any more. One that fails is logged by other names."""


def errors_of(page: Page) -> list[str]:
    """Return the list of the errors that the page will have logged."""
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on(
        "console",
        lambda message: errors.append(message.text) if message.type == "error" else None,
    )
    return errors


def true_errors(errors: list[str]) -> list[str]:
    """Return the errors without those of requests that were replaced, which come in pairs."""
    replaced = min(sum(error.startswith(name) for error in errors) for name in _REPLACED)
    left = dict.fromkeys(_REPLACED, replaced)
    found = []
    for error in errors:
        name = next((name for name in _REPLACED if error.startswith(name)), None)
        if name and left[name]:
            left[name] -= 1
        else:
            found.append(error)
    return found
