"""A mail server in a process of its own that fails at random, and keeps a record of each attempt.

    python -m tests.faults.flaky_smtp PORT RECORD SECONDS [SEED]

Each attempt meets one behaviour, by chance: most are taken; others are answered 421 or 450, or
their connection is cut before DATA, within it, or after its final dot, there with the message
kept or lost. One recipient meets two failures at most. RECORD gets a line of JSON for each.
Without SEED it takes everything. SECONDS pass between keeping a message and saying so.
"""

import asyncio
import json
import random
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from email import message_from_bytes
from enum import StrEnum
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from project.local.data_folder import free_port
from project.local.env import ROOT
from tests.live import wait_until

MAX_FAILURES = 2  # for one recipient: each costs a backoff


class Behaviour(StrEnum):
    TAKES = "takes"
    CLOSES = "421"
    IS_BUSY = "450"
    CUTS_BEFORE_DATA = "cut before DATA"
    CUTS_IN_DATA = "cut in DATA"
    KEEPS_AND_CUTS = "kept, cut after the final dot"
    LOSES_AND_CUTS = "lost, cut after the final dot"


DOUBTFUL = {Behaviour.CUTS_IN_DATA, Behaviour.KEEPS_AND_CUTS, Behaviour.LOSES_AND_CUTS}
"""The client can't know whether the message was kept."""
KEEPS = {Behaviour.TAKES, Behaviour.KEEPS_AND_CUTS}
CHANCES = {
    Behaviour.CLOSES: 0.04,
    Behaviour.IS_BUSY: 0.06,
    Behaviour.CUTS_BEFORE_DATA: 0.02,
    Behaviour.CUTS_IN_DATA: 0.02,
    Behaviour.KEEPS_AND_CUTS: 0.02,
    Behaviour.LOSES_AND_CUTS: 0.02,
}


@dataclass(frozen=True)
class Meeting:
    """What one attempt met; the Message-ID if the server has read so far."""

    recipient: str
    behaviour: Behaviour
    message_id: str = ""


@dataclass(frozen=True)
class FlakyServer:
    """The running server, seen from outside."""

    url: str
    record: Path

    def meetings(self) -> list[Meeting]:
        lines = self.record.read_text().splitlines()
        return [
            Meeting(**{**line, "behaviour": Behaviour(line["behaviour"])})
            for line in map(json.loads, lines)
        ]

    def copies(self) -> Counter[str]:
        """How many copies each recipient has."""
        return Counter(
            meeting.recipient for meeting in self.meetings() if meeting.behaviour in KEEPS
        )


@contextmanager
def running_flaky_server(
    folder: Path, *, seed: int | None = None, seconds: float = 0.0
) -> Iterator[FlakyServer]:
    """Run the server for the length of the block; its record is in `folder`."""
    port, record = free_port(), folder / "mail.jsonl"
    argv = [sys.executable, "-m", __name__, str(port), str(record), str(seconds)]
    argv += [] if seed is None else [str(seed)]
    with open(folder / "mail.log", "ab") as log:
        process = subprocess.Popen(argv, cwd=ROOT, stdout=log, stderr=log)

    def listens() -> bool:
        with closing(socket.socket()) as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    try:
        wait_until(listens, seconds=30, what="the mail server listens")
        yield FlakyServer(f"smtp://127.0.0.1:{port}", record)
    finally:
        process.kill()
        process.wait()


class FlakyHandler:
    """An aiosmtpd handler: decides at RCPT, which names the message."""

    def __init__(self, record: Path, *, seconds: float, seed: str | None) -> None:
        self._seconds = seconds
        self._record = record.open("a", buffering=1)
        self._chance = random.Random(seed) if seed else None
        self._failures: Counter[str] = Counter()

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any
    ) -> str:
        behaviour = self._next(address)
        if behaviour in (Behaviour.CLOSES, Behaviour.IS_BUSY, Behaviour.CUTS_BEFORE_DATA):
            self.note(Meeting(address, behaviour))
        match behaviour:
            case Behaviour.CLOSES:
                return "421 4.3.2 Closing for a moment"
            case Behaviour.IS_BUSY:
                return "450 4.2.1 Mailbox busy"
            case Behaviour.CUTS_BEFORE_DATA:
                disconnect(server)
        envelope.behaviour = behaviour
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        behaviour = envelope.behaviour
        assert isinstance(envelope.content, bytes)
        message_id = message_from_bytes(envelope.content)["Message-ID"].strip()
        self.note(Meeting(envelope.rcpt_tos[0], behaviour, message_id))
        await asyncio.sleep(self._seconds)
        if behaviour in DOUBTFUL:
            disconnect(server)
        return "250 OK"

    def note(self, meeting: Meeting) -> None:
        self._record.write(json.dumps(asdict(meeting)) + "\n")

    def _next(self, recipient: str) -> Behaviour:
        if self._chance is None or self._failures[recipient] == MAX_FAILURES:
            return Behaviour.TAKES
        bad = [*CHANCES.values()]
        [behaviour] = self._chance.choices([Behaviour.TAKES, *CHANCES], [1 - sum(bad), *bad])
        self._failures[recipient] += behaviour is not Behaviour.TAKES
        return behaviour


class FlakySmtp(SMTP):
    event_handler: FlakyHandler

    async def smtp_DATA(self, arg: str) -> None:
        if self.envelope.behaviour is not Behaviour.CUTS_IN_DATA:
            await super().smtp_DATA(arg)
            return
        await self.push("354 Go on")
        await self._reader.readline()  # so that the client has read the 354
        self.event_handler.note(Meeting(self.envelope.rcpt_tos[0], Behaviour.CUTS_IN_DATA))
        disconnect(self)


def disconnect(server: SMTP) -> None:
    """End the connection without a word."""
    assert server.transport is not None
    server.transport.abort()


async def main(port: str, record: str, seconds: str, seed: str | None = None) -> None:
    handler = FlakyHandler(Path(record), seconds=float(seconds), seed=seed)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: FlakySmtp(handler), "127.0.0.1", int(port))
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
