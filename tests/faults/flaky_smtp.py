"""A mail server in a process of its own that loses its temper, and keeps a record of it.

    python -m tests.faults.flaky_smtp PORT RECORD SECONDS [SEED]

Each message meets one mood, by chance: most are taken; others hear 421 or 450, or their
connection is cut before DATA, within it, or after its final dot, there with the message kept or
lost. One recipient meets two bad moods at most. RECORD gets a line of JSON for each. Without
SEED it takes everything. SECONDS pass between keeping a message and saying so.
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

MAX_BAD_MOODS = 2  # for one recipient: each costs a backoff


class Mood(StrEnum):
    TAKES = "takes"
    CLOSES = "421"
    IS_BUSY = "450"
    CUTS_BEFORE_DATA = "cut before DATA"
    CUTS_IN_DATA = "cut in DATA"
    KEEPS_AND_CUTS = "kept, cut after the final dot"
    LOSES_AND_CUTS = "lost, cut after the final dot"


DOUBTFUL = {Mood.CUTS_IN_DATA, Mood.KEEPS_AND_CUTS, Mood.LOSES_AND_CUTS}
"""The client can't know whether the message was kept."""
KEEPS = {Mood.TAKES, Mood.KEEPS_AND_CUTS}
CHANCES = {
    Mood.CLOSES: 0.04,
    Mood.IS_BUSY: 0.06,
    Mood.CUTS_BEFORE_DATA: 0.02,
    Mood.CUTS_IN_DATA: 0.02,
    Mood.KEEPS_AND_CUTS: 0.02,
    Mood.LOSES_AND_CUTS: 0.02,
}


@dataclass(frozen=True)
class Meeting:
    """What one attempt met; the Message-ID if the server has read so far."""

    recipient: str
    mood: Mood
    message_id: str = ""


@dataclass(frozen=True)
class MoodyMail:
    """The running server, seen from outside."""

    url: str
    record: Path

    def meetings(self) -> list[Meeting]:
        lines = self.record.read_text().splitlines()
        return [Meeting(**{**line, "mood": Mood(line["mood"])}) for line in map(json.loads, lines)]

    def copies(self) -> Counter[str]:
        """How many copies each recipient has."""
        return Counter(meeting.recipient for meeting in self.meetings() if meeting.mood in KEEPS)


@contextmanager
def running_moody_mail(
    folder: Path, *, seed: int | None = None, seconds: float = 0.0
) -> Iterator[MoodyMail]:
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
        yield MoodyMail(f"smtp://127.0.0.1:{port}", record)
    finally:
        process.kill()
        process.wait()


class Moods:
    """An aiosmtpd handler: decides at RCPT, which names the message."""

    def __init__(self, record: Path, *, seconds: float, seed: str | None) -> None:
        self._seconds = seconds
        self._record = record.open("a", buffering=1)
        self._chance = random.Random(seed) if seed else None
        self._bad: Counter[str] = Counter()

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any
    ) -> str:
        mood = self._next(address)
        if mood in (Mood.CLOSES, Mood.IS_BUSY, Mood.CUTS_BEFORE_DATA):
            self.note(Meeting(address, mood))
        match mood:
            case Mood.CLOSES:
                return "421 4.3.2 Closing for a moment"
            case Mood.IS_BUSY:
                return "450 4.2.1 Mailbox busy"
            case Mood.CUTS_BEFORE_DATA:
                hang_up(server)
        envelope.mood = mood  # type: ignore[attr-defined]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        mood = envelope.mood  # type: ignore[attr-defined]
        assert isinstance(envelope.content, bytes)
        message_id = message_from_bytes(envelope.content)["Message-ID"].strip()
        self.note(Meeting(envelope.rcpt_tos[0], mood, message_id))
        await asyncio.sleep(self._seconds)
        if mood in DOUBTFUL:
            hang_up(server)
        return "250 OK"

    def note(self, meeting: Meeting) -> None:
        self._record.write(json.dumps(asdict(meeting)) + "\n")

    def _next(self, recipient: str) -> Mood:
        if self._chance is None or self._bad[recipient] == MAX_BAD_MOODS:
            return Mood.TAKES
        bad = [*CHANCES.values()]
        [mood] = self._chance.choices([Mood.TAKES, *CHANCES], [1 - sum(bad), *bad])
        self._bad[recipient] += mood is not Mood.TAKES
        return mood


class MoodySmtp(SMTP):
    event_handler: Moods

    async def smtp_DATA(self, arg: str) -> None:
        if self.envelope.mood is not Mood.CUTS_IN_DATA:
            await super().smtp_DATA(arg)
            return
        await self.push("354 Go on")
        await self._reader.readline()  # so that the client has read the 354
        self.event_handler.note(Meeting(self.envelope.rcpt_tos[0], Mood.CUTS_IN_DATA))
        hang_up(self)


def hang_up(server: SMTP) -> None:
    """End the connection without a word."""
    assert server.transport is not None
    server.transport.abort()


async def main(port: str, record: str, seconds: str, seed: str | None = None) -> None:
    moods = Moods(Path(record), seconds=float(seconds), seed=seed)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: MoodySmtp(moods), "127.0.0.1", int(port))
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
