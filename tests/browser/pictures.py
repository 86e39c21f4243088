"""The pictures in docs/, taken by the tests that do what the pages tell.

`OPERATING_PICTURES=1` writes those of docs/operating.md, `SHOPPING_PICTURES=1` those of
docs/shopping.md.
"""

import os
from pathlib import Path

from playwright.sync_api import Page
from pyvips import Image

QUALITY = 70


def keep_picture(page: Page, path: Path, *, switch: str, whole: bool = False) -> None:
    """Write the window, or the `whole` page, as WebP if the environment has the switch."""
    if switch not in os.environ:
        return
    path.parent.mkdir(exist_ok=True)
    shot: Image = Image.new_from_buffer(page.screenshot(animations="disabled", full_page=whole), "")
    shot.webpsave(str(path), Q=QUALITY, effort=6)
