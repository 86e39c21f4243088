"""ffmpeg as a process of its own: limited in time, memory and access, and killable at once.

It reads one local file by the demuxer of the file's type, and nothing else: no network, no
playlists, no files that a file refers to. It dies with the worker that started it.
"""

import ctypes
import logging
import os
import re
import resource
import selectors
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from project.jobs.errors import PermanentError

logger = logging.getLogger(__name__)

THREADS = 2
MEMORY = 3 * 2**30
"""Bytes of address space. Encoding 720p of a 4K original takes about a third of it."""
LARGEST_FILE = 2 * 2**30
LOOK_SECONDS = 0.5
"""The interval at which ffmpeg reports its progress, and we check whether to go on."""
KEPT = 64_000
"""Bytes of its output that are kept: a bad file can make it repeat a line for ever."""
PR_SET_PDEATHSIG = 1

Progress = Callable[[float], None]
"""Called about twice a second with the seconds of video done; may raise to end the process."""


class FfmpegError(Exception):
    """ffmpeg failed; the message is the end of its output."""


class TooSlowError(FfmpegError):
    """ffmpeg was stopped at its time limit."""


@dataclass
class _Talk:
    """The process's output, from both of its pipes."""

    said: bytes = b""
    last: bytes = b""
    report: bytes = b""
    seconds: float = 0.0

    def hear(self, chunk: bytes) -> None:
        self.said += chunk[: KEPT - len(self.said)]
        self.last = (self.last + chunk)[-2000:]

    def read_report(self, chunk: bytes) -> None:
        """Take the newest time from the output of `-progress`."""
        *lines, self.report = (self.report + chunk).split(b"\n")
        for line in lines:
            if found := re.fullmatch(rb"out_time_us=(-?\d+)", line.strip()):
                self.seconds = max(self.seconds, int(found[1]) / 1e6)


def source(path: Path, *, demuxer: str, decoder: str = "", turn: float | None = None) -> list[str]:
    """Return the arguments that open an untrusted file by its type's demuxer.

    `decoder` is ffmpeg's name of the one for the pictures; empty: the usual one of their codec.
    `turn` is how many degrees to turn them against the clock, instead of what the file says.
    """
    return [
        *("-protocol_whitelist", "file,pipe"),
        # An MP4's references to other files are never followed.
        *(("-enable_drefs", "0", "-use_absolute_path", "0") if demuxer == "mov" else ()),
        *("-max_pixels", str(settings.MEDIA_MAX_MEGAPIXELS * 1_000_000)),
        *(("-c:V", decoder) if decoder else ()),
        *(("-display_rotation:V", f"{turn:.0f}") if turn is not None else ()),
        *("-threads", str(THREADS), "-f", demuxer, "-i", f"file:{path}"),
    ]


def run(
    arguments: Sequence[str], *, folder: Path, seconds: float, progress: Progress
) -> tuple[str, float]:
    """Run ffmpeg in `folder`; return its output and the seconds of video that it processed.

    Raises FfmpegError, TooSlowError after `seconds`, and any error of `progress`; the process is
    gone in each case.
    """
    command = [
        *(binary(), "-hide_banner", "-nostdin", "-nostats", "-y"),
        *("-progress", "pipe:1", "-stats_period", str(LOOK_SECONDS)),
        *("-filter_threads", "1", "-filter_complex_threads", "1"),
        *arguments,
    ]
    talk = _Talk()
    deadline = time.monotonic() + seconds
    with _started(command, folder) as process:
        for _moment in _moments(process, talk):
            progress(talk.seconds)
            if time.monotonic() > deadline:
                raise TooSlowError(talk.last.decode(errors="replace"))
        code = process.wait()
    if code:
        said = talk.last.decode(errors="replace")
        logger.info("ffmpeg ended with %s: %s", code, said)
        raise FfmpegError(said)
    return talk.said.decode(errors="replace"), talk.seconds


@cache
def binary() -> str:
    """Return the path of ffmpeg. Raises PermanentError if there is none."""
    wanted = settings.FFMPEG_BINARY
    if not wanted:
        import imageio_ffmpeg  # not needed where the shop names its own ffmpeg

        return str(imageio_ffmpeg.get_ffmpeg_exe())
    found = shutil.which(wanted)
    if found is None:
        raise PermanentError(_("There is no ffmpeg at “%s” (FFMPEG_BINARY).") % wanted)
    return found


@contextmanager
def _started(command: list[str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Start the process in a group of its own, and kill the group at the end in any case."""
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={},  # none of our secrets
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=bounded(os.getpid()),
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for pipe in (process.stdout, process.stderr):
            assert pipe is not None
            pipe.close()


def _moments(process: subprocess.Popen[bytes], talk: _Talk) -> Iterator[None]:
    """Read until both pipes are closed; yield about every `LOOK_SECONDS`."""
    assert process.stdout is not None
    assert process.stderr is not None
    next_look = 0.0
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ, talk.read_report)
        selector.register(process.stderr, selectors.EVENT_READ, talk.hear)
        while selector.get_map():
            for key, _events in selector.select(LOOK_SECONDS):
                chunk = os.read(key.fd, 65_536)
                key.data(chunk)
                if not chunk:
                    selector.unregister(key.fileobj)
            if time.monotonic() >= next_look:
                next_look = time.monotonic() + LOOK_SECONDS
                yield


def bounded(worker: int) -> Callable[[], None]:
    """Return the function that sets the new process's limits before it becomes ffmpeg."""
    prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None

    def bound() -> None:
        if prctl is not None:
            prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            if os.getppid() != worker:
                os._exit(1)  # the worker died before PR_SET_PDEATHSIG was set
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE, LARGEST_FILE))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    return bound
