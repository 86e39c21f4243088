"""A mail server for a test's machine: `python -m tests.cluster.mail FILE`.

It takes every e-mail, and writes its Message-ID to the file: one line for each time it came.
"""

import re
import sys
import threading
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

PORT = 25
MESSAGE_ID = re.compile(rb"^Message-ID:\s*<([^@>]+)@", re.MULTILINE | re.IGNORECASE)


class Arrivals:
    """Takes e-mails and notes them."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.original_content
        assert content is not None
        found = MESSAGE_ID.search(content)
        with open(self._path, "ab") as file:
            file.write((found[1] if found else b"no Message-ID") + b"\n")
        return "250 2.0.0 Taken"


if __name__ == "__main__":
    Controller(Arrivals(Path(sys.argv[1])), hostname="0.0.0.0", port=PORT).start()
    threading.Event().wait()
