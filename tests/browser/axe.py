"""axe, the rules of accessibility that a machine can check, on a page of a real browser."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page


def objections(page: Page) -> list[str]:
    """Return the rules that the page breaks, each with the elements that break it."""
    # What still moves in has the colours of halfway.
    page.evaluate("Promise.all(document.getAnimations().map((one) => one.finished)).catch(() => 0)")
    broken = Axe().run(page).response["violations"]
    return [f"{rule['id']}: {[node['html'] for node in rule['nodes']]}" for rule in broken]
