"""A slow mail server in a process of its own, which stores nothing.

    python -m notifications.benchmarks.slow_mail PORT SECONDS

Each message is accepted so many seconds after its final dot.
"""

import asyncio
import sys

from aiosmtpd.smtp import SMTP, Envelope, Session


class Slow:
    """An aiosmtpd handler."""

    def __init__(self, *, seconds: float) -> None:
        self._seconds = seconds

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        await asyncio.sleep(self._seconds)
        return "250 2.0.0 Accepted"


async def main(port: str, seconds: str) -> None:
    handler = Slow(seconds=float(seconds))
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(handler), "127.0.0.1", int(port))
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
